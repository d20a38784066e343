/* Deadlocks (deadlock.h): looking at who waits for whom. What is found is told by deadlock_report.c.
 *
 * A look takes two pictures, each with the world stopped. The first is enough to find cycles. What cannot be read during a pause (who
 * holds which lock of an import, how many threads the process has) is gathered between the two, and the second picture shows whether
 * anybody has moved meanwhile: if not, all that was gathered belongs to one moment. */
#include "deadlock_report.h"
#include "atomics.h"
#include "interpreter.h"
#include "lock.h"
#include "stop_world.h"

#include <dirent.h>

#define SECOND_NS 1000000000LL
#define LONGEST_PAUSE 4         /* seconds between the looks of the main thread */

static deadlock_mode_t mode = DEADLOCK_REPORT;      /* [const] after start-up */

void deadlock_configure(deadlock_mode_t new_mode) { mode = new_mode; }

/* ---- Records ---- */

/* What ts waits for, innermost. To be followed only while the world is stopped, or by ts itself. */
static struct deadlock_wait *wait_of(PyThreadState *ts) { return atomic_load_relaxed_ptr(&ts->private_sync); }
static void set_wait(PyThreadState *ts, struct deadlock_wait *w) { atomic_store_relaxed_ptr(&ts->private_sync, w); }

void deadlock_wait_begin(struct deadlock_wait *w)
{
    PyThreadState *ts = thread_current();
    w->previous = wait_of(ts);
    w->begun = sync_now_ns();
    set_wait(ts, w);
}

void deadlock_wait_end(struct deadlock_wait *w)
{
    set_wait(thread_current(), w->previous);
    Py_CLEAR(w->verdict);
}

/* Only the main thread looks more than once, or for what anybody may release: it waits whenever all do. */
int64_t deadlock_time_to_look(const struct deadlock_wait *w)
{
    if (mode == DEADLOCK_OFF)
        return -1;
    if (thread_is_main())
        return SECOND_NS * (w->looks < 2 ? 1 << w->looks : LONGEST_PAUSE);
    return w->kind == DEADLOCK_BY_OWNER && w->looks == 0 ? SECOND_NS : -1;
}

int deadlock_verdict(struct deadlock_wait *w)
{
    if (w->verdict == NULL)
        return 0;
    PyErr_SetObject(PyExc_RuntimeError, w->verdict);
    Py_CLEAR(w->verdict);
    return -1;
}

/* ---- The graph ---- */

int deadlock_find_cycles(const int *next, int n, int *cycle_of)
{
    int *seen = PyMem_RawCalloc((size_t)n + 1, sizeof(*seen));      /* number of the walk that came by */
    int cycles = 0;
    memset(cycle_of, 0, (size_t)n * sizeof(*cycle_of));
    for (int start = 0; seen != NULL && start < n; start++) {
        int i = start;
        while (i >= 0 && seen[i] == 0) {
            seen[i] = start + 1;
            i = next[i];
        }
        if (i < 0 || seen[i] != start + 1)
            continue;       /* ends, or joins an earlier walk */
        cycles++;
        do {
            cycle_of[i] = cycles;
            i = next[i];
        } while (cycle_of[i] == 0);
    }
    PyMem_RawFree(seen);
    return cycles;
}

/* ---- Pictures ---- */

/* Is it certain that ts waits, and goes on waiting until somebody does what its record says? With the world stopped. */
static int waits_for_certain(PyThreadState *ts)
{
    struct deadlock_wait *w = wait_of(ts);
    if (w == NULL)
        return 0;
    if (w->mutex == NULL)
        return !atomic_load_relaxed_u32(&w->over);
    if (w->looking)
        return _PyMutex_IsLockedInline((PyMutex *)w->mutex);
    return ts->lock_waits != NULL && parking_lot_is_queued(w->mutex, ts->lock_waits);
}

static uint64_t pictures;               /* [stopped] taken so far */
static uint64_t last_without_cycle;     /* [atomic] number of a picture */

static void describe(struct deadlock_thread *t, PyThreadState *ts)
{
    struct deadlock_wait *w = wait_of(ts);
    *t = (struct deadlock_thread){.ts = ts, .id = ts->id, .ident = ts->thread_id, .next = -1};
    t->is_waiting = waits_for_certain(ts);
    if (!t->is_waiting)
        return;
    w->pictured = pictures;
    t->begun = w->begun;
    t->kind = w->kind;
    t->can_raise = w->can_raise;
    t->reported = w->reported;
    t->lock = w->lock;
    t->is_join = w->kind == DEADLOCK_BY_OWNER && w->owner == NULL;
    t->owner = w->owner != NULL ? __atomic_load_n(w->owner, __ATOMIC_RELAXED) : 0;
    t->taker = w->taker != NULL ? atomic_load_relaxed_u64(w->taker) : 0;
    snprintf(t->lock_type, sizeof(t->lock_type), "%s", Py_TYPE(w->lock)->tp_name);
}

/* 0, or -1 if there is no memory or too many threads have come. */
static int take_picture(PyThreadState *self, struct deadlock_picture *p)
{
    int n = 0, capacity = thread_count() + 16;
    p->threads = PyMem_RawCalloc((size_t)capacity, sizeof(*p->threads));
    if (p->threads == NULL)
        return -1;
    p->all_wait = 1;
    stop_world_begin(self);
    p->number = ++pictures;
    thread_list_lock();
    PyThreadState *ts = thread_first();
    for (; ts != NULL && n < capacity; ts = ts->next) {
        describe(&p->threads[n], ts);
        p->all_wait &= p->threads[n++].is_waiting;
    }
    thread_list_unlock();
    stop_world_end(self);
    p->n = n;
    return ts == NULL ? 0 : -1;
}

static int find_thread(const struct deadlock_picture *p, unsigned long ident, uint64_t id)
{
    for (int i = 0; i < p->n; i++)
        if (ident != 0 ? p->threads[i].ident == ident : p->threads[i].id == id)
            return i;
    return -1;
}

/* Is the thread of the picture still where it was? With the world stopped and the list locked. NULL if not. */
static PyThreadState *still_waiting(const struct deadlock_thread *t)
{
    PyThreadState *ts = thread_first();
    while (ts != NULL && ts != t->ts)
        ts = ts->next;
    return ts != NULL && ts->id == t->id && waits_for_certain(ts) && wait_of(ts)->begun == t->begun ? ts : NULL;
}

/* ---- What is gathered between the pictures ---- */

/* Threads that the interpreter knows nothing of may release what they like. */
static int has_unknown_threads(int known)
{
    DIR *dir = opendir("/proc/self/task");
    if (dir == NULL)
        return 1;
    int count = 0;
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count > known;
}

static int attribute_is(PyObject *op, const char *name, PyObject *value)
{
    PyObject *attribute;
    if (PyObject_GetOptionalAttrString(op, name, &attribute) < 0)
        PyErr_Clear();
    int same = attribute == value;
    Py_XDECREF(attribute);
    return same;
}

/* A thread that waits for a module to be imported is parked on a lock that it took itself. importlib knows for whom it waits:
 * _blocking_on maps thread identities to locks of modules. */
static void find_importers(struct deadlock_picture *p)
{
    PyObject *blocking = runtime_interp.importlib != NULL ? PyObject_GetAttrString(runtime_interp.importlib, "_blocking_on") : NULL;
    for (int i = 0; i < p->n && blocking != NULL && PyDict_CheckExact(blocking) && PyDict_GET_SIZE(blocking) > 0; i++) {
        struct deadlock_thread *t = &p->threads[i];
        PyObject *key = PyLong_FromUnsignedLong(t->ident), *module_lock = NULL, *owner = NULL;
        if (key != NULL && PyDict_GetItemRef(blocking, key, &module_lock) > 0 && attribute_is(module_lock, "wakeup", t->lock)
            && PyObject_GetOptionalAttrString(module_lock, "owner", &owner) > 0 && PyLong_Check(owner)) {
            t->next = find_thread(p, PyLong_AsUnsignedLong(owner), 0);
            t->imports = 1;
        }
        Py_XDECREF(owner);
        Py_XDECREF(module_lock);
        Py_XDECREF(key);
    }
    Py_XDECREF(blocking);
    PyErr_Clear();
}

/* ---- A look ---- */

/* A first guess without a pause: is there anything to look for? */
static int may_be_stuck(const struct deadlock_wait *w)
{
    unsigned long owner = w->owner != NULL ? __atomic_load_n(w->owner, __ATOMIC_RELAXED) : 0;
    uint64_t taker = w->taker != NULL ? atomic_load_relaxed_u64(w->taker) : 0;
    int all = 1, mine = 0, only_all = w->kind != DEADLOCK_BY_OWNER;
    thread_list_lock();
    for (PyThreadState *ts = thread_first(); ts != NULL && (all || !only_all); ts = ts->next) {
        int waits = wait_of(ts) != NULL;
        all &= waits;
        mine |= waits && (owner != 0 ? __atomic_load_n(&ts->thread_id, __ATOMIC_RELAXED) == owner : ts->id == taker);
    }
    thread_list_unlock();
    return only_all ? all : mine || (all && thread_is_main());
}

static void connect(struct deadlock_picture *p)
{
    int handlers = signal_has_python_handlers();
    p->all_wait = p->all_wait && !handlers && !has_unknown_threads(p->n);
    if (p->all_wait)
        find_importers(p);
    for (int i = 0; i < p->n; i++) {
        struct deadlock_thread *t = &p->threads[i];
        if (!t->is_waiting || (t->kind == DEADLOCK_BY_ANYBODY && !p->all_wait) || (handlers && t->ts == runtime_interp.main_thread))
            t->next = -1;
        else if (t->next < 0 && (t->owner != 0 ? t->owner != t->ident : t->taker != 0 && t->taker != t->id))
            t->next = find_thread(p, t->owner, t->taker);
    }
}

/* The number of a cycle that has not been told yet, or 0. */
static int new_cycle(struct deadlock_picture *p, int *next, int *cycle_of)
{
    for (int i = 0; i < p->n; i++)
        next[i] = p->threads[i].next;
    deadlock_find_cycles(next, p->n, cycle_of);
    int found = 0;
    for (int i = 0; i < p->n && !found; i++)
        found = p->threads[i].reported ? 0 : cycle_of[i];
    for (int i = 0; i < p->n; i++)
        p->threads[i].in_cycle = found && cycle_of[i] == found;
    return found;
}

/* Who raises: the looker if it can, else the youngest of the cycle that can. -1: nobody. */
static int choose_victim(const struct deadlock_picture *p, PyThreadState *self)
{
    int best = -1;
    for (int i = 0; i < p->n; i++) {
        const struct deadlock_thread *t = &p->threads[i];
        if (!t->in_cycle || !t->can_raise)
            continue;
        if (t->ts == self)
            return i;
        if (best < 0 || t->id > p->threads[best].id)
            best = i;
    }
    return best;
}

/* The second picture. Marks the cycle as told, keeps the stacks, and wakes who is to raise. Returns 0 if somebody has moved, or has told it. */
static int confirm(PyThreadState *self, struct deadlock_picture *p, PyObject *verdict)
{
    int same = 1, told = 1, victim = verdict != NULL ? choose_victim(p, self) : -1;
    stop_world_begin(self);
    thread_list_lock();
    for (int i = 0; i < p->n && same; i++)
        if (p->threads[i].in_cycle || p->all_wait)
            same = still_waiting(&p->threads[i]) != NULL;
    for (int i = 0; i < p->n && same; i++) {
        if (p->threads[i].in_cycle) {
            told &= wait_of(p->threads[i].ts)->reported;        /* by another looker meanwhile */
            wait_of(p->threads[i].ts)->reported = 1;
        }
    }
    same = same && !told;
    if (same)
        deadlock_report_stacks_stopped(p);
    if (same && victim >= 0) {
        PyThreadState *ts = p->threads[victim].ts;
        wait_of(ts)->verdict = Py_NewRef(verdict);
        if (ts != self)
            parking_lot_interrupt(wait_of(ts)->mutex, ts->lock_waits);
    }
    thread_list_unlock();
    stop_world_end(self);
    return same;
}

/* One cycle. Returns 1 if there was one. */
static int look_once(PyThreadState *self)
{
    struct deadlock_picture p = {.stacks = -1};
    PyObject *verdict = NULL;
    int found = 0;
    if (take_picture(self, &p) == 0) {
        int *next = PyMem_RawCalloc((size_t)p.n + 1, sizeof(*next)), *cycle_of = PyMem_RawCalloc((size_t)p.n + 1, sizeof(*cycle_of));
        connect(&p);
        int looked = next != NULL && cycle_of != NULL;
        if (looked && !new_cycle(&p, next, cycle_of))
            atomic_store_relaxed_u64(&last_without_cycle, p.number);
        else if (looked) {
            deadlock_report_names(&p);
            if (mode == DEADLOCK_RAISE)
                verdict = deadlock_report_verdict(&p);
            found = confirm(self, &p, verdict);
        }
        PyMem_RawFree(next);
        PyMem_RawFree(cycle_of);
    }
    if (found)
        deadlock_report_print(&p);
    deadlock_report_free(&p);
    Py_XDECREF(verdict);
    PyErr_Clear();
    return found;
}

int deadlock_look(struct deadlock_wait *w)
{
    w->looks++;
    if (mode == DEADLOCK_OFF)
        return 0;
    if (w->pictured != 0 && w->pictured == atomic_load_relaxed_u64(&last_without_cycle) && !thread_is_main())
        return 0;
    if (!may_be_stuck(w))
        return 0;
    w->looking = 1;
    while (w->verdict == NULL && look_once(thread_current()))
        ;
    w->looking = 0;
    return deadlock_verdict(w);
}
