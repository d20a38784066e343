/* The readline module: line editing and history, by libedit's readline interface.
 *
 * libedit knows nothing of threads: it is entered with library_lock held. The lock belongs to a thread and counts, because
 * libedit calls Python functions (a completer, hooks) and these call back into this module. While a line is awaited, it is
 * released. Nobody waits for it attached.
 *
 * A line is read detached (PyOS_ReadlineFunctionPointer); the functions that libedit calls attach. */
#include "module.h"
#include <editline/readline.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <wchar.h>

static struct {
    PyMutex mutex;
    unsigned long owner;        /* [atomic] the thread that holds the mutex, or 0 */
    int depth;                  /* [owner] */
} library_lock;

static struct {
    PyObject *completer, *display_matches, *startup, *pre_input;    /* callables or NULL */
} hooks;                        /* [library_lock] */

static int auto_history = 1;    /* [library_lock] */
static int file_length = -1;    /* [library_lock] how many lines write_history_file keeps, < 0: all */
static int begidx, endidx;      /* [library_lock] of the completion under way */
static char *delimiters;        /* [library_lock] ours, libedit has a pointer to it */

static volatile sig_atomic_t window_changed, continued;

static void enter(void)
{
    unsigned long me = PyThread_get_thread_ident();
    if (__atomic_load_n(&library_lock.owner, __ATOMIC_RELAXED) != me) {
        PyMutex_Lock(&library_lock.mutex);
        __atomic_store_n(&library_lock.owner, me, __ATOMIC_RELAXED);
    }
    library_lock.depth++;
}

static void leave(void)
{
    if (--library_lock.depth > 0)
        return;
    __atomic_store_n(&library_lock.owner, 0, __ATOMIC_RELAXED);
    PyMutex_Unlock(&library_lock.mutex);
}

/* The thread that held the lock may not exist in the child. */
static void after_fork(void)
{
    if (library_lock.owner != 0 && library_lock.owner != PyThread_get_thread_ident())
        memset(&library_lock, 0, sizeof library_lock);
}

/* ---- Text ---- */

static PyObject *decode(const char *text) { return PyUnicode_DecodeLocale(text, "surrogateescape"); }

/* New bytes, or NULL with an exception. */
static PyObject *encode(PyObject *text)
{
    if (PyUnicode_Check(text))
        return PyUnicode_EncodeLocale(text, "surrogateescape");
    PyErr_BadArgument();
    return NULL;
}

/* A copy for libedit, which frees it with free(). */
static char *copy_for_library(PyObject *text)
{
    PyObject *bytes = encode(text);
    char *copy = bytes != NULL ? strdup(PyBytes_AS_STRING(bytes)) : NULL;
    Py_XDECREF(bytes);
    return copy;
}

/* ---- Functions that libedit calls: detached, with the lock held ---- */

/* Calls a hook: its result as an int, 0 for None and after an error. */
static int call_hook(PyObject **hook)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int result = 0;
    PyObject *func = Py_XNewRef(*hook);
    PyObject *value = func != NULL ? PyObject_CallNoArgs(func) : NULL;
    if (value != NULL && value != Py_None)
        result = _PyLong_AsInt(value);
    if (PyErr_Occurred()) {
        PyErr_Clear();
        result = 0;
    }
    Py_XDECREF(func);
    Py_XDECREF(value);
    PyGILState_Release(state);
    return result;
}

static int on_startup(void) { return call_hook(&hooks.startup); }
static int on_pre_input(void) { return call_hook(&hooks.pre_input); }

static char *on_completion(const char *text, int state)
{
    char *result = NULL;
    PyGILState_STATE gil = PyGILState_Ensure();
    PyObject *func = Py_XNewRef(hooks.completer);
    if (func != NULL) {
        rl_attempted_completion_over = 1;       /* no file names when the completer has none */
        PyObject *word = decode(text);
        PyObject *match = word != NULL ? PyObject_CallFunction(func, "Oi", word, state) : NULL;
        if (match != NULL && match != Py_None)
            result = copy_for_library(match);
        PyErr_Clear();
        Py_XDECREF(word);
        Py_XDECREF(match);
        Py_DECREF(func);
    }
    PyGILState_Release(gil);
    return result;
}

static char **on_attempt(const char *text, int start, int end)
{
    rl_completion_append_character = '\0';
    rl_completion_suppress_append = 0;
    begidx = start;
    endidx = end;
    return completion_matches((char *)text, on_completion);
}

static void on_display_matches(char **matches, int count, int longest)
{
    PyGILState_STATE state = PyGILState_Ensure();
    PyObject *func = Py_XNewRef(hooks.display_matches), *list = PyList_New(0), *word = decode(matches[0]), *result = NULL;
    for (int i = 1; list != NULL && i <= count; i++) {
        PyObject *match = decode(matches[i]);
        if (match == NULL || PyList_Append(list, match) < 0)
            Py_CLEAR(list);
        Py_XDECREF(match);
    }
    if (func != NULL && list != NULL && word != NULL)
        result = PyObject_CallFunction(func, "OOi", word, list, longest);
    PyErr_Clear();
    Py_XDECREF(func);
    Py_XDECREF(list);
    Py_XDECREF(word);
    Py_XDECREF(result);
    PyGILState_Release(state);
}

/* ---- Reading ---- */

static int interrupted;         /* [library_lock] a signal handler raised an exception */
static mbstate_t shift_state;   /* [library_lock] of the bytes read */

static void on_window_change(int number) { window_changed = 1; }
static void on_continue(int number) { continued = 1; }

/* -1 if a signal handler raised an exception. */
static int run_signal_handlers(void)
{
    PyGILState_STATE state = PyGILState_Ensure();
    int status = PyErr_CheckSignals();
    PyGILState_Release(state);
    return status;
}

/* Waits for input, running signal handlers and PyOS_InputHook. 1, or 0: interrupted. */
static int wait_for_input(int fd)
{
    for (;;) {
        struct pollfd waiting = {fd, POLLIN, 0};
        int (*hook)(void) = PyOS_InputHook;
        leave();
        if (hook != NULL)
            hook();
        /* Before the wait, which a signal that has come already does not end; and after it. */
        int failed = run_signal_handlers() < 0, n = 0, error = 0;
        if (!failed) {
            n = poll(&waiting, 1, hook != NULL ? 100 : -1);
            error = errno;
            failed = n < 0 && error == EINTR && run_signal_handlers() < 0;
        }
        enter();
        if (failed)
            return 0;
        if (window_changed) {
            window_changed = 0;
            rl_resize_terminal();
        }
        if (continued) {
            continued = 0;
            rl_prep_terminal(1);
            rl_forced_update_display();
        }
        if (n > 0 || (n < 0 && error != EINTR))
            return 1;
    }
}

/* The next character for libedit, -1 at the end of the input. */
static int read_character(FILE *in)
{
    int fd = fileno(in);
    for (;;) {
        char byte;
        wchar_t ch;
        if (!wait_for_input(fd)) {
            interrupted = 1;
            return -1;
        }
        ssize_t n = read(fd, &byte, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        size_t used = mbrtowc(&ch, &byte, 1, &shift_state);
        if (used <= 1)
            return (int)ch;
        if (used == (size_t)-1) {
            memset(&shift_state, 0, sizeof shift_state);
            return (unsigned char)byte;
        }
    }
}

static void remember(const char *line)
{
    if (!auto_history || *line == '\0')
        return;
    HIST_ENTRY *last = history_length > 0 ? history_get(history_base + history_length - 1) : NULL;
    if (last == NULL || strcmp(last->line, line) != 0)
        add_history(line);
}

/* Contract: PyOS_ReadlineFunctionPointer. */
static char *read_line(FILE *in, FILE *out, const char *prompt)
{
    struct sigaction window = {.sa_handler = on_window_change}, resume = {.sa_handler = on_continue}, old_window, old_resume;
    enter();
    interrupted = 0;
    memset(&shift_state, 0, sizeof shift_state);
    sigemptyset(&window.sa_mask);
    sigemptyset(&resume.sa_mask);
    sigaction(SIGWINCH, &window, &old_window);
    sigaction(SIGCONT, &resume, &old_resume);
    char *line = readline(prompt), *result;
    sigaction(SIGWINCH, &old_window, NULL);
    sigaction(SIGCONT, &old_resume, NULL);
    size_t size = line != NULL && !interrupted ? strlen(line) : 0;
    result = interrupted ? NULL : PyMem_RawMalloc(size + 2);
    if (interrupted)
        fputc('\n', out);
    else if (line != NULL && result != NULL) {
        remember(line);
        memcpy(result, line, size);
        result[size++] = '\n';
    }
    if (result != NULL)
        result[size] = '\0';
    free(line);
    leave();
    return result;
}

/* ---- Functions: binding and the line ---- */

/* An exception of errno, or None. */
static PyObject *none_or_error(int error)
{
    errno = error;
    return error != 0 ? PyErr_SetFromErrno(PyExc_OSError) : Py_NewRef(Py_None);
}

/* Runs expression, which is text in the locale's encoding, with the lock held. */
#define WITH_TEXT(text, function) \
    do { \
        PyObject *bytes = encode(text); \
        if (bytes == NULL) \
            return NULL; \
        enter(); \
        function(PyBytes_AS_STRING(bytes)); \
        leave(); \
        Py_DECREF(bytes); \
        Py_RETURN_NONE; \
    } while (0)

static PyObject *readline_parse_and_bind(PyObject *module, PyObject *text) { WITH_TEXT(text, rl_parse_and_bind); }
static PyObject *readline_insert_text(PyObject *module, PyObject *text) { WITH_TEXT(text, rl_insert_text); }
static PyObject *readline_add_history(PyObject *module, PyObject *text) { WITH_TEXT(text, add_history); }

static PyObject *readline_get_line_buffer(PyObject *module, PyObject *unused)
{
    enter();
    PyObject *result = decode(rl_line_buffer != NULL ? rl_line_buffer : "");
    leave();
    return result;
}

static PyObject *readline_redisplay(PyObject *module, PyObject *unused)
{
    enter();
    /* rl_redisplay() would push a key that may be bound to something else. */
    fputc('\r', rl_outstream);
    rl_forced_update_display();
    leave();
    Py_RETURN_NONE;
}

/* ---- Functions: files ---- */

/* The file name in args, bytes; NULL with an exception. Absent or None: *bytes is NULL. */
static int file_name(PyObject *arg, PyObject **bytes)
{
    *bytes = NULL;
    return arg == NULL || arg == Py_None || PyUnicode_FSConverter(arg, bytes) ? 0 : -1;
}

static const char *text_or_null(PyObject *bytes) { return bytes != NULL ? PyBytes_AS_STRING(bytes) : NULL; }

static PyObject *readline_read_init_file(PyObject *module, PyObject *args)
{
    PyObject *name = NULL, *bytes;
    if (!PyArg_ParseTuple(args, "|O:read_init_file", &name) || file_name(name, &bytes) < 0)
        return NULL;
    enter();
    errno = 0;
    int rc = rl_read_init_file(text_or_null(bytes));
    int error = rc == 0 ? 0 : errno != 0 ? errno : ENOENT;
    leave();
    Py_XDECREF(bytes);
    return none_or_error(error);
}

static PyObject *readline_read_history_file(PyObject *module, PyObject *args)
{
    PyObject *name = NULL, *bytes;
    if (!PyArg_ParseTuple(args, "|O:read_history_file", &name) || file_name(name, &bytes) < 0)
        return NULL;
    enter();
    int error = read_history(text_or_null(bytes));
    leave();
    Py_XDECREF(bytes);
    return none_or_error(error);
}

static PyObject *readline_write_history_file(PyObject *module, PyObject *args)
{
    PyObject *name = NULL, *bytes;
    if (!PyArg_ParseTuple(args, "|O:write_history_file", &name) || file_name(name, &bytes) < 0)
        return NULL;
    enter();
    int error = write_history(text_or_null(bytes));
    if (error == 0 && file_length >= 0)
        history_truncate_file(text_or_null(bytes), file_length);
    leave();
    Py_XDECREF(bytes);
    return none_or_error(error);
}

static PyObject *readline_append_history_file(PyObject *module, PyObject *args)
{
    int count;
    PyObject *name = NULL, *bytes;
    if (!PyArg_ParseTuple(args, "i|O:append_history_file", &count, &name) || file_name(name, &bytes) < 0)
        return NULL;
    enter();
    /* libedit goes back `count` lines from the last one, and appends from there on. */
    int error = count > 0 ? append_history(count - 1, text_or_null(bytes)) : 0;
    if (error == 0 && file_length >= 0)
        history_truncate_file(text_or_null(bytes), file_length);
    leave();
    Py_XDECREF(bytes);
    return none_or_error(error);
}

static PyObject *readline_set_history_length(PyObject *module, PyObject *arg)
{
    int length = _PyLong_AsInt(arg);
    if (length == -1 && PyErr_Occurred())
        return NULL;
    enter();
    file_length = length;
    leave();
    Py_RETURN_NONE;
}

/* A number of this module or of the library, read under the lock. */
static PyObject *locked_number(const int *number)
{
    enter();
    int value = *number;
    leave();
    return PyLong_FromLong(value);
}

static PyObject *readline_get_history_length(PyObject *module, PyObject *unused) { return locked_number(&file_length); }

/* ---- Functions: history ---- */

static PyObject *readline_get_current_history_length(PyObject *module, PyObject *unused)
{
    enter();
    int length = history_length;
    leave();
    return PyLong_FromLong(length);
}

/* Entries count from 1 here, and from history_base in libedit. */
static PyObject *readline_get_history_item(PyObject *module, PyObject *arg)
{
    int index = _PyLong_AsInt(arg);
    if (index == -1 && PyErr_Occurred())
        return NULL;
    enter();
    HIST_ENTRY *entry = index >= 1 && index <= history_length ? history_get(history_base + index - 1) : NULL;
    PyObject *result = entry != NULL && entry->line != NULL ? decode(entry->line) : Py_NewRef(Py_None);
    leave();
    return result;
}

static void entry_free(HIST_ENTRY *entry)
{
    if (entry == NULL)
        return;
    free((void *)entry->line);
    free(entry);
}

static PyObject *position_error(int position)
{
    PyErr_Format(PyExc_ValueError, position < 0 ? "History index cannot be negative" : "No history item at position %d", position);
    return NULL;
}

/* Positions count from 0, in libedit for this function too, but not for the next. */
static PyObject *readline_remove_history_item(PyObject *module, PyObject *arg)
{
    int position = _PyLong_AsInt(arg);
    if (position == -1 && PyErr_Occurred())
        return NULL;
    if (position < 0)
        return position_error(position);
    enter();
    HIST_ENTRY *entry = position < history_length ? remove_history(position) : NULL;
    leave();
    if (entry == NULL)
        return position_error(position);
    entry_free(entry);
    Py_RETURN_NONE;
}

static PyObject *readline_replace_history_item(PyObject *module, PyObject *args)
{
    int position;
    PyObject *line;
    if (!PyArg_ParseTuple(args, "iU:replace_history_item", &position, &line))
        return NULL;
    if (position < 0)
        return position_error(position);
    PyObject *bytes = encode(line);
    if (bytes == NULL)
        return NULL;
    enter();
    HIST_ENTRY *entry = position < history_length ? replace_history_entry(history_base + position, PyBytes_AS_STRING(bytes), NULL) : NULL;
    leave();
    Py_DECREF(bytes);
    if (entry == NULL)
        return position_error(position);
    entry_free(entry);
    Py_RETURN_NONE;
}

static PyObject *readline_clear_history(PyObject *module, PyObject *unused)
{
    enter();
    clear_history();
    leave();
    Py_RETURN_NONE;
}

static PyObject *readline_set_auto_history(PyObject *module, PyObject *args)
{
    int enabled;
    if (!PyArg_ParseTuple(args, "p:set_auto_history", &enabled))
        return NULL;
    enter();
    auto_history = enabled;
    leave();
    Py_RETURN_NONE;
}

/* ---- Functions: hooks and completion ---- */

static PyObject *hook_set(PyObject **hook, const char *name, PyObject *args)
{
    PyObject *func = Py_None;
    if (!PyArg_UnpackTuple(args, name, 0, 1, &func))
        return NULL;
    if (func != Py_None && !PyCallable_Check(func)) {
        PyErr_Format(PyExc_TypeError, "%s(func): argument not callable", name);
        return NULL;
    }
    object_publish(func);
    enter();
    PyObject *old = *hook;
    *hook = func != Py_None ? Py_NewRef(func) : NULL;
    rl_startup_hook = hooks.startup != NULL ? on_startup : NULL;
    rl_pre_input_hook = hooks.pre_input != NULL ? on_pre_input : NULL;
    rl_completion_display_matches_hook = hooks.display_matches != NULL ? (VFunction *)(void (*)(void))on_display_matches : NULL;
    leave();
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

static PyObject *readline_set_completer(PyObject *module, PyObject *args)
{
    return hook_set(&hooks.completer, "set_completer", args);
}

static PyObject *readline_set_display_matches(PyObject *module, PyObject *args)
{
    return hook_set(&hooks.display_matches, "set_completion_display_matches_hook", args);
}

static PyObject *readline_set_startup_hook(PyObject *module, PyObject *args)
{
    return hook_set(&hooks.startup, "set_startup_hook", args);
}

static PyObject *readline_set_pre_input_hook(PyObject *module, PyObject *args)
{
    return hook_set(&hooks.pre_input, "set_pre_input_hook", args);
}

static PyObject *readline_get_completer(PyObject *module, PyObject *unused)
{
    enter();
    PyObject *result = Py_NewRef(hooks.completer != NULL ? hooks.completer : Py_None);
    leave();
    return result;
}

static PyObject *readline_get_completion_type(PyObject *module, PyObject *unused) { return locked_number(&rl_completion_type); }
static PyObject *readline_get_begidx(PyObject *module, PyObject *unused) { return locked_number(&begidx); }
static PyObject *readline_get_endidx(PyObject *module, PyObject *unused) { return locked_number(&endidx); }

static PyObject *readline_set_completer_delims(PyObject *module, PyObject *text)
{
    char *copy = copy_for_library(text);
    if (copy == NULL)
        return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    enter();
    char *old = delimiters;
    rl_completer_word_break_characters = delimiters = copy;
    leave();
    free(old);
    Py_RETURN_NONE;
}

static PyObject *readline_get_completer_delims(PyObject *module, PyObject *unused)
{
    enter();
    PyObject *result = decode(rl_completer_word_break_characters != NULL ? rl_completer_word_break_characters : "");
    leave();
    return result;
}

/* ---- The module ---- */

static PyMethodDef readline_methods[] = {
    {"parse_and_bind", readline_parse_and_bind, METH_O,
     "parse_and_bind($module, string, /)\n--\n\nObeys a line in the syntax of libedit's init file (editrc)."},
    {"read_init_file", readline_read_init_file, METH_VARARGS,
     "read_init_file($module, filename=None, /)\n--\n\nObeys an init file."},
    {"get_line_buffer", readline_get_line_buffer, METH_NOARGS, "get_line_buffer($module, /)\n--\n\nThe line being edited."},
    {"insert_text", readline_insert_text, METH_O, "insert_text($module, string, /)\n--\n\nInserts text into the line at the cursor."},
    {"redisplay", readline_redisplay, METH_NOARGS, "redisplay($module, /)\n--\n\nShows the line as it is now."},
    {"read_history_file", readline_read_history_file, METH_VARARGS,
     "read_history_file($module, filename=None, /)\n--\n\nAdds the lines of a file to the history."},
    {"write_history_file", readline_write_history_file, METH_VARARGS,
     "write_history_file($module, filename=None, /)\n--\n\nWrites the history to a file."},
    {"append_history_file", readline_append_history_file, METH_VARARGS,
     "append_history_file($module, nelements, filename=None, /)\n--\n\nAppends the last lines of the history to a file."},
    {"set_history_length", readline_set_history_length, METH_O,
     "set_history_length($module, length, /)\n--\n\nSets how many lines a history file keeps; negative: all."},
    {"get_history_length", readline_get_history_length, METH_NOARGS,
     "get_history_length($module, /)\n--\n\nHow many lines a history file keeps."},
    {"get_current_history_length", readline_get_current_history_length, METH_NOARGS,
     "get_current_history_length($module, /)\n--\n\nHow many lines the history has."},
    {"get_history_item", readline_get_history_item, METH_O,
     "get_history_item($module, index, /)\n--\n\nA line of the history, from 1; None if there is none."},
    {"remove_history_item", readline_remove_history_item, METH_O,
     "remove_history_item($module, pos, /)\n--\n\nRemoves a line of the history, from 0."},
    {"replace_history_item", readline_replace_history_item, METH_VARARGS,
     "replace_history_item($module, pos, line, /)\n--\n\nReplaces a line of the history, from 0."},
    {"add_history", readline_add_history, METH_O, "add_history($module, string, /)\n--\n\nAdds a line to the history."},
    {"clear_history", readline_clear_history, METH_NOARGS, "clear_history($module, /)\n--\n\nEmpties the history."},
    {"set_auto_history", readline_set_auto_history, METH_VARARGS,
     "set_auto_history($module, enabled, /)\n--\n\nSays whether lines that are read are added to the history."},
    {"set_completer", readline_set_completer, METH_VARARGS,
     "set_completer($module, function=None, /)\n--\n\nSets function(text, state), which returns the state-th completion of text,\n"
     "or None if there are no more."},
    {"get_completer", readline_get_completer, METH_NOARGS, "get_completer($module, /)\n--\n\nWhat set_completer() has set."},
    {"get_completion_type", readline_get_completion_type, METH_NOARGS,
     "get_completion_type($module, /)\n--\n\nThe kind of completion being attempted."},
    {"get_begidx", readline_get_begidx, METH_NOARGS, "get_begidx($module, /)\n--\n\nWhere the text being completed begins."},
    {"get_endidx", readline_get_endidx, METH_NOARGS, "get_endidx($module, /)\n--\n\nWhere the text being completed ends."},
    {"set_completer_delims", readline_set_completer_delims, METH_O,
     "set_completer_delims($module, string, /)\n--\n\nSets the characters between words for completion."},
    {"get_completer_delims", readline_get_completer_delims, METH_NOARGS,
     "get_completer_delims($module, /)\n--\n\nThe characters between words for completion."},
    {"set_completion_display_matches_hook", readline_set_display_matches, METH_VARARGS,
     "set_completion_display_matches_hook($module, function=None, /)\n--\n\n"
     "Sets function(substitution, matches, longest_match_length), which shows the completions."},
    {"set_startup_hook", readline_set_startup_hook, METH_VARARGS,
     "set_startup_hook($module, function=None, /)\n--\n\nSets a function that is called before the prompt is shown."},
    {"set_pre_input_hook", readline_set_pre_input_hook, METH_VARARGS,
     "set_pre_input_hook($module, function=None, /)\n--\n\nSets a function that is called before the line is read."},
    {NULL},
};

/* libedit is set up once: it reads the user's ~/.editrc. */
static void library_init(void)
{
    rl_readline_name = "python";
    rl_instream = stdin;
    rl_outstream = stdout;
    rl_catch_signals = 0;
    rl_getc_function = read_character;
    rl_initialize();                    /* just once: again, it would discard what has been typed */
    rl_bind_key('\t', rl_insert);
    rl_attempted_completion_function = on_attempt;
    delimiters = strdup(" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?");
    rl_completer_word_break_characters = delimiters;
    PyOS_ReadlineFunctionPointer = read_line;
}

static int readline_exec(PyObject *module)
{
    static int initialized;         /* [library_lock] */
    enter();
    if (!initialized) {
        pthread_atfork(NULL, NULL, after_fork);
        library_init();
        initialized = 1;
    }
    leave();
    if (PyModule_AddIntConstant(module, "_READLINE_VERSION", RL_READLINE_VERSION) < 0
        || PyModule_AddIntConstant(module, "_READLINE_RUNTIME_VERSION", rl_readline_version) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "_READLINE_LIBRARY_VERSION", rl_library_version);
}

static PyModuleDef_Slot readline_slots[] = {
    {Py_mod_exec, (void *)readline_exec},
    MODULE_SLOTS_COMMON,
    {0, NULL},
};

static struct PyModuleDef readline_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "readline",
    .m_doc = "Line editing and history at the prompt and in input(), by libedit's readline interface.",
    .m_methods = readline_methods,
    .m_slots = readline_slots,
};

PyMODINIT_FUNC PyInit_readline(void)
{
    return PyModuleDef_Init(&readline_module);
}
