/* What a file of the time zone database tells, and looking it up. */
#include "zoneinfo_internal.h"

PyObject *zone_delta(long seconds)
{
    PyObject *type = _PyImport_GetModuleAttrString("datetime", "timedelta"), *result;
    if (type == NULL)
        return NULL;
    result = PyObject_CallFunction(type, "il", 0, seconds);
    Py_DECREF(type);
    return result;
}

/* ---- Loading ---- */

/* The parts that zoneinfo._common.load_data gives, as tuples. */
typedef struct { PyObject *indices, *utc, *utcoffs, *isdsts, *abbreviations, *tzstring; } data_t;

static int fill_ttinfo(ttinfo_t *info, long utcoff, long dstoff, PyObject *name)
{
    info->utcoff_seconds = utcoff;
    info->dstoff_seconds = dstoff;
    info->utcoff = zone_delta(utcoff);
    info->dstoff = zone_delta(dstoff);
    info->tzname = Py_XNewRef(name);
    return info->utcoff == NULL || info->dstoff == NULL || name == NULL ? -1 : 0;
}

static void drop_ttinfo(ttinfo_t *info)
{
    Py_CLEAR(info->utcoff);
    Py_CLEAR(info->dstoff);
    Py_CLEAR(info->tzname);
}

/* The daylight saving that types of local time contain. The file tells only whether they do: the difference to the
 * standard time before, or else behind, is taken, and an hour if neither helps. */
static void infer_dst(const unsigned char *indices, Py_ssize_t n, const long *utcoffs, const char *isdsts, Py_ssize_t types,
                      long *dstoffs)
{
    for (Py_ssize_t i = 1; i < n; i++) {
        int type = indices[i], previous = indices[i - 1];
        if (!isdsts[type] || dstoffs[type] != 0)
            continue;
        long difference = isdsts[previous] ? 0 : utcoffs[type] - utcoffs[previous];
        if (difference == 0 && i + 1 < n && !isdsts[indices[i + 1]])
            difference = utcoffs[type] - utcoffs[indices[i + 1]];
        dstoffs[type] = difference;
    }
    for (Py_ssize_t k = 0; k < types; k++)
        if (isdsts[k] && dstoffs[k] == 0)
            dstoffs[k] = 3600;
}

/* When the transitions are in local time: with fold 0 the later of the two clock readings, with fold 1 the earlier. */
static void make_local(zone_t *zone, const unsigned char *indices, const long *utcoffs)
{
    for (Py_ssize_t i = 0; i < zone->transition_count; i++) {
        long before = utcoffs[i == 0 ? 0 : indices[i - 1]], after = utcoffs[indices[i]];
        zone->local[0][i] = zone->utc[i] + (before > after ? before : after);
        zone->local[1][i] = zone->utc[i] + (before > after ? after : before);
    }
}

/* The numbers of a tuple; -1 with an exception. */
static int read_transitions(zone_t *zone, const data_t *data, unsigned char *indices)
{
    for (Py_ssize_t i = 0; i < zone->transition_count; i++) {
        long index = PyLong_AsLong(PyTuple_GET_ITEM(data->indices, i));
        zone->utc[i] = PyLong_AsLongLong(PyTuple_GET_ITEM(data->utc, i));
        if (PyErr_Occurred())
            return -1;
        if (index < 0 || index >= zone->type_count) {
            PyErr_Format(PyExc_ValueError, "Invalid transition index found while reading TZif: %zd", (Py_ssize_t)index);
            return -1;
        }
        indices[i] = (unsigned char)index;
        zone->transitions[i] = &zone->types[index];
    }
    return 0;
}

static int fill_types(zone_t *zone, const data_t *data, const unsigned char *indices)
{
    long *utcoffs = PyMem_Calloc((size_t)zone->type_count + 1, sizeof(long)),
         *dstoffs = PyMem_Calloc((size_t)zone->type_count + 1, sizeof(long));
    char *isdsts = PyMem_Calloc((size_t)zone->type_count + 1, 1);
    int failed = -1;
    if (utcoffs == NULL || dstoffs == NULL || isdsts == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (Py_ssize_t i = 0; i < zone->type_count; i++) {
        utcoffs[i] = PyLong_AsLong(PyTuple_GET_ITEM(data->utcoffs, i));
        isdsts[i] = PyObject_IsTrue(PyTuple_GET_ITEM(data->isdsts, i)) > 0;
    }
    if (PyErr_Occurred())
        goto done;
    infer_dst(indices, zone->transition_count, utcoffs, isdsts, zone->type_count, dstoffs);
    make_local(zone, indices, utcoffs);
    for (Py_ssize_t i = 0; i < zone->type_count; i++)
        if (fill_ttinfo(&zone->types[i], utcoffs[i], dstoffs[i], PyTuple_GET_ITEM(data->abbreviations, i)) < 0)
            goto done;
    /* before the first transition: the first standard time */
    zone->before = zone->transition_count > 0 ? zone->transitions[0] : NULL;
    for (Py_ssize_t i = 0; i < zone->type_count; i++)
        if (!isdsts[i]) {
            zone->before = &zone->types[i];
            break;
        }
    failed = 0;
done:
    PyMem_Free(utcoffs);
    PyMem_Free(dstoffs);
    PyMem_Free(isdsts);
    return failed;
}

static int fill_from_rules(ttinfo_t *info, const char *name, long utcoff, long dstoff)
{
    PyObject *text = PyUnicode_FromString(name);
    int failed = fill_ttinfo(info, utcoff, dstoff, text);
    Py_XDECREF(text);
    return failed;
}

/* What holds behind the last transition: what the TZ string says, or the last type. */
static int fill_after(zone_t *zone, PyObject *tzstring)
{
    if (tzstring != Py_None && PyBytes_GET_SIZE(tzstring) > 0) {
        zone->rules = PyMem_Malloc(sizeof(tzstring_t));
        if (zone->rules == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        tzstring_t *tz = zone->rules;
        if (tzstring_parse(tz, PyBytes_AS_STRING(tzstring)) < 0 || fill_from_rules(&zone->after, tz->std_name, tz->std_offset, 0) < 0)
            return -1;
        if (tz->has_dst)
            return fill_from_rules(&zone->after_dst, tz->dst_name, tz->dst_offset, tz->dst_offset - tz->std_offset);
        PyMem_Free(zone->rules);
        zone->rules = NULL;
        return 0;
    }
    if (zone->type_count == 0) {
        PyErr_SetString(PyExc_ValueError, "No time zone information found.");
        return -1;
    }
    const ttinfo_t *last = zone->transition_count > 0 ? zone->transitions[zone->transition_count - 1]
                                                      : &zone->types[zone->type_count - 1];
    return fill_ttinfo(&zone->after, last->utcoff_seconds, last->dstoff_seconds, last->tzname);
}

static int is_same(const ttinfo_t *a, const ttinfo_t *b)
{
    return a->utcoff_seconds == b->utcoff_seconds && a->dstoff_seconds == b->dstoff_seconds
           && PyObject_RichCompareBool(a->tzname, b->tzname, Py_EQ) == 1;
}

static int load(zone_t *zone, const data_t *data)
{
    Py_ssize_t n = zone->transition_count = PyTuple_GET_SIZE(data->indices);
    zone->type_count = PyTuple_GET_SIZE(data->utcoffs);
    if (PyTuple_GET_SIZE(data->utc) != n || PyTuple_GET_SIZE(data->isdsts) != zone->type_count
        || PyTuple_GET_SIZE(data->abbreviations) != zone->type_count || (data->tzstring != Py_None && !PyBytes_Check(data->tzstring))) {
        PyErr_SetString(PyExc_ValueError, "Invalid time zone data");
        zone->transition_count = zone->type_count = 0;
        return -1;
    }
    size_t count = (size_t)n + 1;
    unsigned char *indices = PyMem_Calloc(count, 1);
    zone->types = PyMem_Calloc((size_t)zone->type_count + 1, sizeof(ttinfo_t));
    zone->transitions = PyMem_Calloc(count, sizeof(ttinfo_t *));
    zone->utc = PyMem_Calloc(count, sizeof(long long));
    zone->local[0] = PyMem_Calloc(count, sizeof(long long));
    zone->local[1] = PyMem_Calloc(count, sizeof(long long));
    int failed = -1;
    if (indices == NULL || zone->types == NULL || zone->transitions == NULL || zone->utc == NULL || zone->local[0] == NULL
        || zone->local[1] == NULL)
        PyErr_NoMemory();
    else if (read_transitions(zone, data, indices) == 0 && fill_types(zone, data, indices) == 0
             && fill_after(zone, data->tzstring) == 0)
        failed = 0;
    PyMem_Free(indices);
    if (failed)
        return -1;
    zone->fixed = zone->type_count <= 1 && zone->rules == NULL && (zone->type_count == 0 || is_same(&zone->types[0], &zone->after));
    return 0;
}

int zone_load(zone_t *zone, PyObject *file)
{
    data_t data;
    PyObject *function = _PyImport_GetModuleAttrString("zoneinfo._common", "load_data"), *parts;
    if (function == NULL)
        return -1;
    parts = PyObject_CallOneArg(function, file);
    Py_DECREF(function);
    if (parts == NULL)
        return -1;
    int failed = -1;
    if (!PyTuple_Check(parts))
        PyErr_Format(PyExc_TypeError, "Invalid data result type: %R", parts);
    else if (PyArg_ParseTuple(parts, "O!O!O!O!O!O", &PyTuple_Type, &data.indices, &PyTuple_Type, &data.utc, &PyTuple_Type,
                              &data.utcoffs, &PyTuple_Type, &data.isdsts, &PyTuple_Type, &data.abbreviations, &data.tzstring))
        failed = load(zone, &data);
    Py_DECREF(parts);
    return failed;
}

void zone_free(zone_t *zone)
{
    for (Py_ssize_t i = 0; zone->types != NULL && i < zone->type_count; i++)
        drop_ttinfo(&zone->types[i]);
    drop_ttinfo(&zone->after);
    drop_ttinfo(&zone->after_dst);
    PyMem_Free(zone->types);
    PyMem_Free(zone->transitions);
    PyMem_Free(zone->utc);
    PyMem_Free(zone->local[0]);
    PyMem_Free(zone->local[1]);
    PyMem_Free(zone->rules);
    memset(zone, 0, sizeof(*zone));
}

/* ---- Looking up ---- */

/* The number of transitions that are not later. */
static Py_ssize_t count_until(const long long *times, Py_ssize_t n, long long seconds)
{
    Py_ssize_t low = 0, high = n;
    while (low < high) {
        Py_ssize_t middle = (low + high) / 2;
        if (times[middle] > seconds)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int within(long long seconds, long long start, long long end)
{
    return start < end ? start <= seconds && seconds < end : !(end <= seconds && seconds < start);
}

const ttinfo_t *zone_find_local(const zone_t *zone, long long seconds, int year, int fold)
{
    const long long *times = zone->local[fold];
    Py_ssize_t n = zone->transition_count;
    if (n > 0 && seconds < times[0])
        return zone->before;
    if (n > 0 && seconds <= times[n - 1])
        return zone->transitions[count_until(times, n, seconds) - 1];
    if (zone->rules == NULL)
        return &zone->after;
    /* With fold 0 the time with the smaller offset starts at the end of the gap and ends at the end of the fold, with
     * fold 1 at the start of each. */
    long long start = rule_seconds(&zone->rules->start, year), end = rule_seconds(&zone->rules->end, year);
    long saving = zone->after_dst.dstoff_seconds;
    if (fold == (saving >= 0))
        end -= saving;
    else
        start += saving;
    return within(seconds, start, end) ? &zone->after_dst : &zone->after;
}

static const ttinfo_t *find_by_rules(const zone_t *zone, long long seconds, int year, int *fold)
{
    long long start = rule_seconds(&zone->rules->start, year) - zone->after.utcoff_seconds;
    long long end = rule_seconds(&zone->rules->end, year) - zone->after_dst.utcoff_seconds;
    long saving = zone->after_dst.dstoff_seconds;
    long long again = saving > 0 ? end : start;     /* the clock is put back */
    *fold = again <= seconds && seconds < again + (saving > 0 ? saving : -saving);
    return within(seconds, start, end) ? &zone->after_dst : &zone->after;
}

const ttinfo_t *zone_find_utc(const zone_t *zone, long long seconds, int year, int *fold)
{
    Py_ssize_t n = zone->transition_count;
    *fold = 0;
    if (n > 0 && seconds < zone->utc[0])
        return zone->before;
    if (n == 0 || seconds > zone->utc[n - 1]) {
        if (zone->rules != NULL)
            return find_by_rules(zone, seconds, year, fold);
        if (n == 0)
            return &zone->after;
    }
    Py_ssize_t i = count_until(zone->utc, n, seconds) - 1;
    const ttinfo_t *now = zone->transitions[i], *previous = i > 0 ? zone->transitions[i - 1] : zone->before;
    if (seconds > zone->utc[n - 1])
        now = &zone->after;
    *fold = previous->utcoff_seconds - now->utcoff_seconds > seconds - zone->utc[i];
    return now;
}
