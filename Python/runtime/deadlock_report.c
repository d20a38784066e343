/* The text about a deadlock (deadlock_report.h).
 *
 * The stacks are written while the world is stopped, into a file in memory: standard error may be a pipe that a stopped thread is to read. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif
#include "deadlock_report.h"
#include "interpreter.h"
#include "traceback_dump.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_LINE = 400, MAX_SHOWN = 100 };

/* ---- Names ---- */

/* threading._active[ident]._name, if threading has been imported. */
static void find_name(struct deadlock_thread *t, PyObject *active, PyObject *attribute)
{
    PyObject *key = PyLong_FromUnsignedLong(t->ident), *thread = NULL, *name = NULL, *bytes = NULL;
    if (key != NULL && active != NULL && PyDict_GetItemRef(active, key, &thread) > 0)
        name = PyObject_GenericGetAttr(thread, attribute);      /* whatever the class of the thread does about attributes */
    if (name != NULL && PyUnicode_Check(name))
        bytes = PyUnicode_AsEncodedString(name, "utf-8", "backslashreplace");
    if (bytes != NULL && PyBytes_GET_SIZE(bytes) > 0)
        snprintf(t->name, sizeof(t->name), "%s", PyBytes_AS_STRING(bytes));
    else
        snprintf(t->name, sizeof(t->name), "thread 0x%lx", t->ident);
    Py_XDECREF(bytes);
    Py_XDECREF(name);
    Py_XDECREF(thread);
    Py_XDECREF(key);
    PyErr_Clear();
}

/* Threads behind the cycle. The chains that lead there are no cycles themselves. */
static void find_dependants(struct deadlock_picture *p)
{
    for (int i = 0; i < p->n; i++) {
        int at = i, steps = 0;
        while (at >= 0 && !p->threads[at].in_cycle && steps++ < p->n)
            at = p->threads[at].next;
        p->threads[i].depends = at >= 0 && p->threads[at].in_cycle && at != i;
    }
}

void deadlock_report_names(struct deadlock_picture *p)
{
    find_dependants(p);
    PyObject *threading = NULL, *active = NULL;
    if (PyDict_GetItemStringRef(runtime_interp.modules, "threading", &threading) < 0)
        PyErr_Clear();
    PyObject *attribute = PyUnicode_FromString("_name");
    if (threading != NULL && PyObject_GetOptionalAttrString(threading, "_active", &active) > 0 && !PyDict_CheckExact(active))
        Py_CLEAR(active);
    for (int i = 0; i < p->n && attribute != NULL; i++)
        if (p->threads[i].in_cycle || p->threads[i].depends)
            find_name(&p->threads[i], active, attribute);
    Py_XDECREF(attribute);
    Py_XDECREF(active);
    Py_XDECREF(threading);
    PyErr_Clear();
}

static void put_wait(char *line, size_t size, const struct deadlock_picture *p, const struct deadlock_thread *t)
{
    const char *other = p->threads[t->next].name;
    if (t->imports)
        snprintf(line, size, "%s waits for %s to import a module", t->name, other);
    else if (t->is_join)
        snprintf(line, size, "%s waits for %s to end", t->name, other);
    else
        snprintf(line, size, "%s waits for <%s object at %p>, taken by %s", t->name, t->lock_type, t->lock, other);
}

PyObject *deadlock_report_verdict(const struct deadlock_picture *p)
{
    PyObject *text = PyUnicode_FromString("deadlock");
    const char *separator = ": ";
    for (int i = 0; i < p->n && text != NULL; i++) {
        char line[MAX_LINE];
        if (!p->threads[i].in_cycle)
            continue;
        put_wait(line, sizeof(line), p, &p->threads[i]);
        PyUnicode_AppendAndDel(&text, PyUnicode_FromFormat("%s%s", separator, line));
        separator = "; ";
    }
    PyErr_Clear();
    if (text != NULL)
        object_publish(text);
    return text;
}

/* ---- Stacks ---- */

static void say(int fd, const char *format, ...)
{
    char line[MAX_LINE + 100];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    traceback_dump_text(fd, line);
}

static void put_threads(struct deadlock_picture *p, int fd, int in_cycle)
{
    int shown = 0;
    for (int i = p->n - 1; i >= 0; i--) {       /* the oldest first */
        const struct deadlock_thread *t = &p->threads[i];
        char line[MAX_LINE];
        if (in_cycle ? !t->in_cycle : !t->depends)
            continue;
        if (shown++ == MAX_SHOWN) {
            say(fd, "\n...\n");
            break;
        }
        put_wait(line, sizeof(line), p, t);
        say(fd, "\n%s.\n", line);
        traceback_dump(fd, t->ts);
    }
}

void deadlock_report_stacks_stopped(struct deadlock_picture *p)
{
    int members = 0, others = 0;
    for (int i = 0; i < p->n; i++) {
        members += p->threads[i].in_cycle;
        others += p->threads[i].depends;
    }
    p->stacks = memfd_create("deadlock", MFD_CLOEXEC);
    if (p->stacks < 0)
        return;
    say(p->stacks, "Deadlock: %d threads wait for each other.\n", members);
    put_threads(p, p->stacks, 1);
    if (others > 0) {
        say(p->stacks, "\nThreads that wait for them: %d.\n", others);
        put_threads(p, p->stacks, 0);
    }
    say(p->stacks, "\n");
}

void deadlock_report_print(struct deadlock_picture *p)
{
    char buffer[4096];
    ssize_t n;
    if (p->stacks < 0 || lseek(p->stacks, 0, SEEK_SET) < 0)
        return;
    PyThreadState *ts = thread_current();
    thread_detach_brief(ts);
    while ((n = read(p->stacks, buffer, sizeof(buffer) - 1)) > 0) {
        buffer[n] = 0;
        traceback_dump_text(STDERR_FILENO, buffer);
    }
    thread_attach(ts);
}

void deadlock_report_free(struct deadlock_picture *p)
{
    PyMem_RawFree(p->threads);
    if (p->stacks >= 0)
        close(p->stacks);
}
