/* Tracebacks for the case that all else has failed (traceback_dump.h). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "traceback_dump.h"
#include "collector.h"
#include "dict.h"
#include "frame.h"
#include "interpreter.h"
#include "module.h"
#include "positions.h"
#include "well_known_strings.h"

#include <errno.h>
#include <sys/uio.h>
#include <unistd.h>

enum { MAX_THREADS = 100, MAX_FRAMES = 100, MAX_TEXT = 500, TABLE_PART = 1024, MAX_ENTRY = 32 };
#define MAX_TABLE (1 << 26)

/* ---- Reading ---- */

/* Copies n bytes that may not be there any more. 1, or 0 if they are not. */
static int peek(void *to, const void *from, size_t n)
{
    struct iovec local = {to, n}, remote = {(void *)from, n};
    if (from == NULL)
        return 0;
    ssize_t got = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
    if (got < 0 && errno != EFAULT) {
        memcpy(to, from, n);            /* a kernel that does not let us: hope for the best */
        return 1;
    }
    return got == (ssize_t)n;
}

/* ---- Writing ---- */

static void write_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t written = write(fd, data, n);
        if (written < 0 && errno != EINTR)
            return;
        if (written > 0) {
            data += written;
            n -= (size_t)written;
        }
    }
}

void traceback_dump_text(int fd, const char *text) { write_all(fd, text, strlen(text)); }

/* At least `digits` digits. */
static void write_number(int fd, uint64_t number, unsigned base, int digits)
{
    char buffer[24];
    int at = sizeof buffer;
    do {
        buffer[--at] = "0123456789abcdef"[number % base];
        number /= base;
        digits--;
    } while ((number != 0 || digits > 0) && at > 0);
    write_all(fd, buffer + at, sizeof buffer - (size_t)at);
}

static void write_character(int fd, Py_UCS4 ch)
{
    char ascii = (char)ch;
    if (ch >= ' ' && ch < 127)
        write_all(fd, &ascii, 1);
    else {
        traceback_dump_text(fd, ch < 0x100 ? "\\x" : ch < 0x10000 ? "\\u" : "\\U");
        write_number(fd, ch, 16, ch < 0x100 ? 2 : ch < 0x10000 ? 4 : 8);
    }
}

/* The str at op, shortened. 0 if it is none. */
static int write_str(int fd, PyObject *op)
{
    PyUnicodeObject s;
    union { Py_UCS1 one[MAX_TEXT]; Py_UCS2 two[MAX_TEXT]; Py_UCS4 four[MAX_TEXT]; } text;
    unsigned long flags;
    if (!value_is_heap(op) || !peek(&s, op, sizeof(PyASCIIObject)) || !peek(&flags, &Py_TYPE((PyObject *)&s)->tp_flags, sizeof flags)
        || !(flags & Py_TPFLAGS_UNICODE_SUBCLASS))
        return 0;
    const PyASCIIObject *head = (const PyASCIIObject *)&s;
    const char *data = (const char *)op + (head->state.ascii ? sizeof(PyASCIIObject) : sizeof(PyCompactUnicodeObject));
    if (!head->state.compact) {
        if (!peek(&s, op, sizeof s))
            return 0;
        data = s.data.any;
    }
    size_t length = head->length < 0 ? 0 : head->length > MAX_TEXT ? MAX_TEXT : (size_t)head->length;
    unsigned kind = head->state.kind;
    if (!peek(&text, data, length * kind))
        return 0;
    for (size_t i = 0; i < length; i++)
        write_character(fd, kind == 1 ? text.one[i] : kind == 2 ? text.two[i] : text.four[i]);
    if (head->length > MAX_TEXT)
        traceback_dump_text(fd, "...");
    return 1;
}

/* ---- Frames ---- */

/* The table of positions is read in parts. -1: unknown. */
static int line_of_word(const PyCodeObject *code, uint32_t word)
{
    PyBytesObject head;
    uint8_t part[TABLE_PART];
    if (!peek(&head, code->co_linetable, offsetof(PyBytesObject, ob_sval)) || Py_SIZE((PyObject *)&head) < 0
        || Py_SIZE((PyObject *)&head) > MAX_TABLE)
        return -1;
    const uint8_t *rest = (const uint8_t *)code->co_linetable + offsetof(PyBytesObject, ob_sval);
    const uint8_t *end = rest + Py_SIZE((PyObject *)&head);
    positions_reader_t r = {.next = part, .end = part, .line = code->co_firstlineno};
    for (;;) {
        if (r.end - r.next < MAX_ENTRY && rest < end) {
            size_t kept = (size_t)(r.end - r.next), more = sizeof part - kept;
            if (more > (size_t)(end - rest))
                more = (size_t)(end - rest);
            memmove(part, r.next, kept);
            if (!peek(part + kept, rest, more))
                return -1;
            rest += more;
            r.next = part;
            r.end = part + kept + more;
        }
        if (!positions_reader_next(&r))
            return -1;
        if (word < r.end_word)
            return r.position.line;
    }
}

static void write_frame(int fd, const frame_t *f)
{
    PyCodeObject code;
    int known = peek(&code, f->code, sizeof code) && Py_IS_TYPE((PyObject *)&code, &PyCode_Type);
    traceback_dump_text(fd, "  File ");
    if (known)
        traceback_dump_text(fd, "\"");
    if (!known || !write_str(fd, code.co_filename))
        traceback_dump_text(fd, "???");
    traceback_dump_text(fd, known ? "\", line " : ", line ");
    int line = -1;
    if (known && f->pc <= code.co_instructions)
        line = code.co_firstlineno;
    else if (known && f->pc - code.co_instructions <= (ptrdiff_t)code.co_ninstructions)
        line = line_of_word(&code, (uint32_t)(f->pc - code.co_instructions - 1));
    if (line >= 0)
        write_number(fd, (uint64_t)line, 10, 1);
    else
        traceback_dump_text(fd, "???");
    traceback_dump_text(fd, " in ");
    if (!known || !write_str(fd, code.co_name))
        traceback_dump_text(fd, "???");
    traceback_dump_text(fd, "\n");
}

/* Threads that run write plainly what is read here: a handler can't wait for them, so what it shows is a guess. Nothing is followed but through
 * peek(). */
#define READS_WHAT_OTHERS_WRITE __attribute__((no_sanitize("thread")))

READS_WHAT_OTHERS_WRITE static void write_frames(int fd, PyThreadState *ts)
{
    int shown = 0;
    frame_t *next = ts != NULL ? __atomic_load_n(&ts->frame, __ATOMIC_RELAXED) : NULL, f;
    while (next != NULL && peek(&f, next, sizeof f)) {
        next = f.previous;
        if (f.code == NULL || (f.flags & FRAME_INCOMPLETE))
            continue;
        if (shown++ == MAX_FRAMES) {
            traceback_dump_text(fd, "  ...\n");
            break;
        }
        write_frame(fd, &f);
    }
    if (shown == 0)
        traceback_dump_text(fd, "  <no Python frame>\n");
}

void traceback_dump(int fd, PyThreadState *ts)
{
    traceback_dump_text(fd, "Stack (most recent call first):\n");
    write_frames(fd, ts);
}

/* Thread states are never unmapped, so the list can be walked while it changes; it may lead nowhere, or in circles. */
READS_WHAT_OTHERS_WRITE void traceback_dump_threads(int fd, PyThreadState *current)
{
    int shown = 0;
    PyThreadState *ts = __atomic_load_n(&runtime_interp.threads, __ATOMIC_RELAXED);
    for (; ts != NULL; ts = __atomic_load_n(&ts->next, __ATOMIC_RELAXED)) {
        if (shown > 0)
            traceback_dump_text(fd, "\n");
        if (shown++ == MAX_THREADS) {
            traceback_dump_text(fd, "...\n");
            break;
        }
        traceback_dump_text(fd, ts == current ? "Current thread 0x" : "Thread 0x");
        write_number(fd, ts->thread_id, 16, 2 * sizeof ts->thread_id);
        traceback_dump_text(fd, " (most recent call first):\n");
        if (ts == current && __atomic_load_n(&collector.busy, __ATOMIC_RELAXED) && collector.busy_slot == ts->slot)
            traceback_dump_text(fd, "  Garbage-collecting\n");
        write_frames(fd, ts);
    }
}

/* ---- Modules ---- */

static int is_standard(PyObject *names, PyObject *name)
{
    Py_ssize_t at = 0, dot = PyUnicode_FindChar(name, '.', 0, PyUnicode_GET_LENGTH(name), 1);
    size_t length = (size_t)(dot >= 0 ? dot : PyUnicode_GET_LENGTH(name));
    PyObject *standard;
    Py_hash_t hash;
    while (_PySet_NextEntry(names, &at, &standard, &hash))
        if (PyUnicode_Check(standard) && PyUnicode_IS_ASCII(standard) && (size_t)PyUnicode_GET_LENGTH(standard) == length
            && memcmp(PyUnicode_DATA(standard), PyUnicode_DATA(name), length) == 0)
            return 1;
    return 0;
}

/* Takes no lock: the process is about to die. */
void traceback_dump_extension_modules(int fd)
{
    PyObject *modules = runtime_interp.modules, *names = NULL, *key, *value, *name;
    Py_ssize_t at = 0;
    uint64_t count = 0;
    if (modules == NULL || !PyDict_Check(modules) || runtime_interp.sysdict == NULL)
        return;
    while (dict_next_borrowed((PyDictObject *)runtime_interp.sysdict, &at, &key, &value, NULL))
        if (PyUnicode_Check(key) && PyUnicode_CompareWithASCIIString(key, "stdlib_module_names") == 0 && PyAnySet_Check(value))
            names = value;
    at = 0;
    while (dict_next_borrowed((PyDictObject *)modules, &at, &name, &value, NULL)) {
        if (!PyUnicode_Check(name) || !PyUnicode_IS_ASCII(name) || !PyModule_Check(value) || ((PyModuleObject *)value)->md_def == NULL
            || (names != NULL && is_standard(names, name)))
            continue;
        traceback_dump_text(fd, count++ == 0 ? "\nExtension modules: " : ", ");
        write_str(fd, name);
    }
    if (count == 0)
        return;
    traceback_dump_text(fd, " (total: ");
    write_number(fd, count, 10, 1);
    traceback_dump_text(fd, ")\n");
}
