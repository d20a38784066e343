/* match statements (PEP 634).
 *
 * Temporaries of one case are only ever taken, never given back, until the case is decided: a failed pattern goes to one place that empties
 * all of them (emptying an empty one does nothing). Captured values stay where they were found; names are bound when the whole
 * pattern has matched. */
#include "Python.h"

#include "compiler_internal.h"
#include "statements.h"

typedef struct {
    label_t fail;
    PyObject *names;        /* list of captured names ... */
    int *slots;             /* ... and where their values are */
    int count, room;
    int allow_irrefutable;
} matching_t;

static int compile_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject);

static int fail_unless(compiler_t *c, matching_t *m, int truth) { return emit_jump(c, OP_JFALSE, (unsigned)truth, 0, m->fail); }

/* The value in slot is captured under name. */
static int capture(compiler_t *c, matching_t *m, PyObject *name, int slot)
{
    if (PyUnicode_CompareWithASCIIString(name, "__debug__") == 0)
        return compile_error(c, "cannot assign to __debug__");
    int known = PySequence_Contains(m->names, name);
    if (known < 0)
        return 0;
    if (known)
        return compile_error(c, "multiple assignments to name %R in pattern", name);
    if (m->count == m->room) {
        int room = m->room * 2 + 8;
        int *slots = PyMem_Realloc(m->slots, (size_t)room * sizeof(int));
        if (slots == NULL) {
            PyErr_NoMemory();
            return 0;
        }
        m->slots = slots;
        m->room = room;
    }
    m->slots[m->count++] = slot;
    return PyList_Append(m->names, name) == 0;
}

/* A copy of the subject in a temporary of its own. */
static int copy_subject(compiler_t *c, int subject)
{
    int t = temp(c);
    return emit_abc(c, OP_MOVE, (unsigned)t, (unsigned)subject, 0) ? t : -1;
}

static int is_wildcard(pattern_ty p) { return p->kind == MatchAs_kind && p->v.MatchAs.name == NULL && p->v.MatchAs.pattern == NULL; }
static int is_star_wildcard(pattern_ty p) { return p->kind == MatchStar_kind && p->v.MatchStar.name == NULL; }

/* ---- Kinds of patterns ---- */

static int compile_value_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    expr_ty value = p->v.MatchValue.value;
    if (fold_expr(c, value) == NULL && value->kind != Attribute_kind) {
        if (!PyErr_Occurred())
            compile_error(c, "patterns may only match literals and attribute lookups");
        return 0;
    }
    int l = copy_subject(c, subject), r = l >= 0 ? compile_to_temp(c, value) : -1;
    SET_POSITION(c, p);
    return r >= 0 && emit_jump(c, OP_JNE, (unsigned)l, (unsigned)r, m->fail);
}

static int compile_singleton_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    int l = copy_subject(c, subject), r = temp(c);
    return l >= 0 && load_const(c, r, p->v.MatchSingleton.value)
           && emit_jump(c, OP_JIS_NOT, (unsigned)l, (unsigned)r, m->fail);
}

static int compile_capture_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    PyObject *name = p->v.MatchAs.name;
    if (p->v.MatchAs.pattern == NULL) {
        if (!m->allow_irrefutable) {
            if (name != NULL)
                return compile_error(c, "name capture %R makes remaining patterns unreachable", name);
            return compile_error(c, "wildcard makes remaining patterns unreachable");
        }
        if (name == NULL)
            return 1;
    }
    else if (!compile_pattern(c, m, p->v.MatchAs.pattern, subject))
        return 0;
    SET_POSITION(c, p);
    int t = copy_subject(c, subject);
    return t >= 0 && capture(c, m, name, t);
}

/* The length of a sequence is compared with n. */
static int check_length(compiler_t *c, matching_t *m, int subject, Py_ssize_t n, int at_least)
{
    int t = temp(c);
    PyObject *size = PyLong_FromSsize_t(n);
    int index = size != NULL ? const_index(c, size) : -1;
    Py_XDECREF(size);
    return index >= 0 && emit_abc(c, OP_GET_LEN, (unsigned)t, (unsigned)subject, 0)
           && emit_jump(c, at_least ? OP_JLT_K : OP_JNE_K, (unsigned)t, (unsigned)index, m->fail);
}

static int compile_items(compiler_t *c, matching_t *m, ast_pattern_seq *patterns, int base)
{
    for (Py_ssize_t i = 0; i < ast_len(patterns); i++) {
        pattern_ty p = patterns->elements[i];
        SET_POSITION(c, p);
        if (p->kind == MatchStar_kind) {
            if (p->v.MatchStar.name != NULL && !capture(c, m, p->v.MatchStar.name, base + (int)i))
                return 0;
        }
        else if (!compile_pattern(c, m, p, base + (int)i))
            return 0;
    }
    return 1;
}

/* Only some items matter, the rest are wildcards: fetched by index. */
static int compile_indexed_items(compiler_t *c, matching_t *m, ast_pattern_seq *patterns, Py_ssize_t star, int subject)
{
    Py_ssize_t n = ast_len(patterns);
    for (Py_ssize_t i = 0; i < n; i++) {
        pattern_ty p = patterns->elements[i];
        if (i == star || is_wildcard(p))
            continue;
        int item = temp(c);
        PyObject *number = PyLong_FromSsize_t(i < star ? i : i - n);
        int index = number != NULL ? const_index(c, number) : -1;
        Py_XDECREF(number);
        int copy = copy_subject(c, subject);
        if (index < 0 || copy < 0)
            return 0;
        int ok;
        if (i < star)
            ok = emit_abc(c, OP_SUBSCR_K, (unsigned)item, (unsigned)copy, (unsigned)index);
        else {
            /* counted from the end by the length: the subject need not know negative indexes */
            int length = temp(c);
            ok = emit_abc(c, OP_GET_LEN, (unsigned)length, (unsigned)subject, 0)
                 && emit_abc(c, OP_ADD_K, (unsigned)length, (unsigned)length, (unsigned)index)
                 && emit_abc(c, OP_SUBSCR, (unsigned)item, (unsigned)copy, (unsigned)length);
        }
        if (!ok || !compile_pattern(c, m, p, item))
            return 0;
    }
    return 1;
}

static int compile_sequence_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    ast_pattern_seq *patterns = p->v.MatchSequence.patterns;
    Py_ssize_t n = ast_len(patterns), star = -1;
    int only_wildcards = 1, star_is_wildcard = 0;
    for (Py_ssize_t i = 0; i < n; i++) {
        pattern_ty item = patterns->elements[i];
        if (item->kind == MatchStar_kind) {
            if (star >= 0)
                return compile_error(c, "multiple starred expressions in sequence pattern");
            star = i;
            star_is_wildcard = is_star_wildcard(item);
            only_wildcards &= star_is_wildcard;
        }
        else
            only_wildcards &= is_wildcard(item);
    }
    int t = temp(c);
    if (!emit_abc(c, OP_MATCH_SEQUENCE, (unsigned)t, (unsigned)subject, 0) || !fail_unless(c, m, t))
        return 0;
    if (star < 0 ? !check_length(c, m, subject, n, 0) : n > 1 && !check_length(c, m, subject, n - 1, 1))
        return 0;
    if (only_wildcards)
        return 1;
    if (star_is_wildcard)
        return compile_indexed_items(c, m, patterns, star, subject);
    int copy = copy_subject(c, subject), base = temp_at(c, c->unit->depth);
    for (Py_ssize_t i = 0; i < n; i++)
        temp(c);
    if (copy < 0)
        return 0;
    int ok;
    if (star < 0)
        ok = emit_abc(c, OP_UNPACK_SEQUENCE, (unsigned)base, (unsigned)copy, (unsigned)n);
    else
        ok = emit_cached(c, OP_UNPACK_EX_WIDE, (unsigned)base, (unsigned)copy, (unsigned)star, (uint64_t)(n - star - 1));
    return ok && compile_items(c, m, patterns, base);
}

static int compile_mapping_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    ast_expr_seq *keys = p->v.MatchMapping.keys;
    Py_ssize_t n = ast_len(keys);
    if (n != ast_len(p->v.MatchMapping.patterns))
        return compile_error(c, "keys (%zd) / patterns (%zd) length mismatch in mapping pattern", n,
                             ast_len(p->v.MatchMapping.patterns));
    int t = temp(c);
    if (!emit_abc(c, OP_MATCH_MAPPING, (unsigned)t, (unsigned)subject, 0) || !fail_unless(c, m, t))
        return 0;
    if (n == 0 && p->v.MatchMapping.rest == NULL)
        return 1;
    if (n > 0 && !check_length(c, m, subject, n, 1))
        return 0;
    PyObject *seen = PySet_New(NULL);
    int key_base = temp_at(c, c->unit->depth), ok = seen != NULL;
    for (Py_ssize_t i = 0; i < n && ok; i++) {
        expr_ty key = keys->elements[i];
        PyObject *value = fold_expr(c, key);
        SET_POSITION(c, key);
        if (value == NULL && PyErr_Occurred())
            ok = 0;
        else if (value != NULL) {
            int known = PySet_Contains(seen, value);
            if (known > 0)
                compile_error(c, "mapping pattern checks duplicate key (%R)", value);
            ok = known == 0 && PySet_Add(seen, value) == 0;
        }
        else if (key->kind != Attribute_kind)
            ok = compile_error(c, "mapping pattern keys may only match literals and attribute lookups");
        ok = ok && compile_to_temp(c, key) >= 0;
    }
    Py_XDECREF(seen);
    SET_POSITION(c, p);
    int key_tuple = temp(c), values = temp(c), copy = temp(c);
    ok = ok && emit_abc(c, OP_BUILD_TUPLE, (unsigned)key_tuple, (unsigned)key_base, (unsigned)n)
         && emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)key_tuple, 0)
         && emit_abc(c, OP_MATCH_KEYS, (unsigned)values, (unsigned)subject, (unsigned)copy)
         && emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)values, 0) && emit_jump(c, OP_JNONE, (unsigned)copy, 0, m->fail);
    if (!ok)
        return 0;
    int base = temp_at(c, c->unit->depth);
    for (Py_ssize_t i = 0; i < n; i++)
        temp(c);
    if (n > 0 && !emit_abc(c, OP_UNPACK_SEQUENCE, (unsigned)base, (unsigned)values, (unsigned)n))
        return 0;
    if (!compile_items(c, m, p->v.MatchMapping.patterns, base))
        return 0;
    if (p->v.MatchMapping.rest == NULL)
        return 1;
    int rest = temp(c);
    SET_POSITION(c, p);
    return emit_abc(c, OP_COPY_DICT_WITHOUT_KEYS, (unsigned)rest, (unsigned)subject, (unsigned)key_tuple)
           && capture(c, m, p->v.MatchMapping.rest, rest);
}

static int check_class_keywords(compiler_t *c, pattern_ty p)
{
    ast_identifier_seq *attrs = p->v.MatchClass.kwd_attrs;
    for (Py_ssize_t i = 0; i < ast_len(attrs); i++)
        for (Py_ssize_t j = i + 1; j < ast_len(attrs); j++)
            if (PyUnicode_Compare(attrs->elements[i], attrs->elements[j]) == 0) {
                SET_POSITION(c, p->v.MatchClass.kwd_patterns->elements[j]);
                return compile_error(c, "attribute name repeated in class pattern: %U", attrs->elements[j]);
            }
    return 1;
}

static int compile_class_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    ast_pattern_seq *positional = p->v.MatchClass.patterns, *keyword = p->v.MatchClass.kwd_patterns;
    Py_ssize_t npositional = ast_len(positional), nkeyword = ast_len(keyword), n = npositional + nkeyword;
    if (!check_class_keywords(c, p))
        return 0;
    int cls = compile_to_temp(c, p->v.MatchClass.cls);
    PyObject *names = PyTuple_New(nkeyword);
    if (cls < 0 || names == NULL) {
        Py_XDECREF(names);
        return 0;
    }
    for (Py_ssize_t i = 0; i < nkeyword; i++)
        PyTuple_SET_ITEM(names, i, Py_NewRef(p->v.MatchClass.kwd_attrs->elements[i]));
    int index = const_index(c, names), attributes = temp(c), copy = temp(c);
    Py_DECREF(names);
    SET_POSITION(c, p);
    if (index < 0
        || !emit_cached(c, OP_MATCH_CLASS, (unsigned)attributes, (unsigned)subject, (unsigned)cls,
                        (uint64_t)index | (uint64_t)npositional << 32)
        || !emit_abc(c, OP_MOVE, (unsigned)copy, (unsigned)attributes, 0) || !emit_jump(c, OP_JNONE, (unsigned)copy, 0, m->fail))
        return 0;
    int base = temp_at(c, c->unit->depth);
    for (Py_ssize_t i = 0; i < n || i < 1; i++)
        temp(c);
    return emit_abc(c, OP_UNPACK_SEQUENCE, (unsigned)base, (unsigned)attributes, (unsigned)n)
           && compile_items(c, m, positional, base) && compile_items(c, m, keyword, base + (int)npositional);
}

/* All alternatives leave the values of the same names in the same slots. */
static int compile_or_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    ast_pattern_seq *patterns = p->v.MatchOr.patterns;
    Py_ssize_t n = ast_len(patterns);
    label_t end = label_new(c), outer_fail = m->fail;
    PyObject *names = NULL;
    int first_slot = -1, ok = 1, allow = m->allow_irrefutable;
    for (Py_ssize_t i = 0; i < n && ok; i++) {
        matching_t alternative = {.allow_irrefutable = i == n - 1 && allow};
        alternative.fail = i == n - 1 ? outer_fail : label_new(c);
        alternative.names = PyList_New(0);
        int from = c->unit->depth;
        SET_POSITION(c, patterns->elements[i]);
        ok = alternative.names != NULL && compile_pattern(c, &alternative, patterns->elements[i], subject);
        SET_POSITION(c, p);
        if (ok && i == 0) {
            names = PySequence_List(alternative.names);
            first_slot = temp_at(c, c->unit->depth);
            for (int k = 0; k < alternative.count; k++)
                temp(c);
            ok = names != NULL;
        }
        if (ok && PyList_GET_SIZE(names) != alternative.count)
            ok = compile_error(c, "alternative patterns bind different names");
        for (int k = 0; k < alternative.count && ok; k++) {
            Py_ssize_t at = PySequence_Index(names, PyList_GET_ITEM(alternative.names, k));
            if (at < 0) {
                PyErr_Clear();
                ok = compile_error(c, "alternative patterns bind different names");
            }
            else
                ok = emit_abc(c, OP_TAKE, (unsigned)(first_slot + at), (unsigned)alternative.slots[k], 0);
        }
        ok = ok && jump_to(c, end);
        if (ok && i < n - 1) {
            ok = label_here(c, alternative.fail);
            for (int d = from; d < c->unit->depth && ok; d++)
                ok = emit_abc(c, OP_DROP, (unsigned)temp_at(c, d), 0, 0);
        }
        Py_XDECREF(alternative.names);
        PyMem_Free(alternative.slots);
    }
    ok = ok && label_here(c, end);
    for (Py_ssize_t k = 0; ok && k < PyList_GET_SIZE(names); k++)
        ok = capture(c, m, PyList_GET_ITEM(names, k), first_slot + (int)k);
    Py_XDECREF(names);
    return ok;
}

static int compile_pattern(compiler_t *c, matching_t *m, pattern_ty p, int subject)
{
    int ok = 0;
    if (Py_EnterRecursiveCall(" during compilation"))
        return 0;
    SET_POSITION(c, p);
    int outer = m->allow_irrefutable;
    if (p->kind != MatchAs_kind && p->kind != MatchOr_kind)
        m->allow_irrefutable = 1;       /* inside another pattern anything may stand */
    switch (p->kind) {
    case MatchValue_kind: ok = compile_value_pattern(c, m, p, subject); break;
    case MatchSingleton_kind: ok = compile_singleton_pattern(c, m, p, subject); break;
    case MatchSequence_kind: ok = compile_sequence_pattern(c, m, p, subject); break;
    case MatchMapping_kind: ok = compile_mapping_pattern(c, m, p, subject); break;
    case MatchClass_kind: ok = compile_class_pattern(c, m, p, subject); break;
    case MatchStar_kind: ok = compile_error(c, "can't use starred pattern here"); break;
    case MatchAs_kind: ok = compile_capture_pattern(c, m, p, subject); break;
    case MatchOr_kind: ok = compile_or_pattern(c, m, p, subject); break;
    default: PyErr_SetString(PyExc_SystemError, "invalid kind of pattern");
    }
    m->allow_irrefutable = outer;
    Py_LeaveRecursiveCall();
    return ok;
}

/* ---- The statement ---- */

static int drop_range(compiler_t *c, int from, int to)
{
    for (int d = from; d < to; d++)
        if (!emit_abc(c, OP_DROP, (unsigned)temp_at(c, d), 0, 0))
            return 0;
    return 1;
}

/* What a case leaves undone belongs to its line, if it is clear which that is: a debugger stops nowhere else on the way out. */
static void fail_position(compiler_t *c, match_case_ty mc)
{
    UNSET_POSITION(c);
    if (mc->guard == NULL || mc->guard->lineno == mc->pattern->lineno)
        SET_POSITION(c, mc->pattern);
}

static int compile_case(compiler_t *c, match_case_ty mc, int subject, label_t end, int is_last)
{
    unit_t *u = c->unit;
    int depth = u->depth, outer_depth = depth - 1;
    matching_t m = {.fail = label_new(c), .names = PyList_New(0), .allow_irrefutable = mc->guard != NULL || is_last};
    int ok = m.names != NULL && compile_pattern(c, &m, mc->pattern, subject);
    int used = u->depth;
    for (int i = 0; i < m.count && ok; i++) {
        SET_POSITION(c, mc->pattern);
        ok = compile_store_name(c, PyList_GET_ITEM(m.names, i), m.slots[i]);
    }
    if (ok && mc->guard != NULL)
        ok = compile_jump_if(c, mc->guard, m.fail, 0);
    UNSET_POSITION(c);
    /* the subject, too, is gone when the body runs */
    ok = ok && drop_range(c, outer_depth, used);
    set_depth(c, outer_depth);
    ok = ok && compile_stmts(c, mc->body);
    UNSET_POSITION(c);
    set_depth(c, used);
    ok = ok && jump_to(c, end) && label_here(c, m.fail);
    fail_position(c, mc);
    ok = ok && drop_range(c, depth, used);
    set_depth(c, depth);
    Py_XDECREF(m.names);
    PyMem_Free(m.slots);
    return ok;
}

int compile_match(compiler_t *c, stmt_ty s)
{
    int depth = c->unit->depth;
    ast_match_case_seq *cases = s->v.Match.cases;
    label_t end = label_new(c);
    int subject = compile_to_temp(c, s->v.Match.subject);
    for (Py_ssize_t i = 0; i < ast_len(cases) && subject >= 0; i++) {
        SET_POSITION(c, cases->elements[i]->pattern);
        /* a wildcard needs no instruction, save as a place for trace functions to stop at */
        if (is_wildcard(cases->elements[i]->pattern) && !emit_abc(c, OP_NOP, 0, 0, 0))
            return 0;
        if (!compile_case(c, cases->elements[i], subject, end, i == ast_len(cases) - 1))
            return 0;
    }
    int ok = subject >= 0 && emit_abc(c, OP_DROP, (unsigned)subject, 0, 0) && label_here(c, end);
    UNSET_POSITION(c);
    set_depth(c, depth);
    return ok;
}
