/* The matcher for one character width: included by matcher.c with CHAR, WIDTH and NAME defined.
 *
 * It walks the code with pc and the subject with i. Where it could go on in several ways it pushes an entry that
 * says how to return, and goes on with the first; where it cannot go on it pops entries until one offers a way. */

static inline int NAME(takes)(const sre_state *st, const uint32_t *code, size_t pc, uint32_t ch)
{
    const PatternObject *p = st->pattern;
    if (ch < 256 && p->table_of && p->table_of[pc])
        return p->tables[(size_t)(p->table_of[pc] - 1) * 256 + ch];
    return sre_item_takes(code + pc, ch);
}

/* Can the code at pc match at i? A quick look only: may say yes wrongly, never no. */
static inline int NAME(viable)(const sre_state *st, const uint32_t *code, size_t pc, const CHAR *s, Py_ssize_t i)
{
    while (code[pc] == OP_MARK)
        pc += 2;
    switch (code[pc]) {
    case OP_LITERAL:
        return i < st->end && s[i] == code[pc + 1];
    case OP_NOT_LITERAL:
        return i < st->end && s[i] != code[pc + 1];
    case OP_IN: case OP_IN_IGNORE: case OP_IN_UNI_IGNORE:
        return i < st->end && NAME(takes)(st, code, pc, s[i]);
    default:
        return 1;
    }
}

/* How often in a row, at most limit times, does the item at pc match from i on? */
static Py_ssize_t NAME(count)(const sre_state *st, const uint32_t *code, size_t pc, const CHAR *s, Py_ssize_t i,
                              uint32_t limit)
{
    Py_ssize_t room = st->end - i;
    const PatternObject *p = st->pattern;
    const CHAR *from = s + i, *at = from;
    if (limit != SRE_MAXREPEAT && (Py_ssize_t)limit < room)
        room = limit;
    const CHAR *stop = from + room;
    switch (code[pc]) {
    case OP_ANY_ALL:
        return room;
    case OP_ANY:
#if WIDTH == 1
        if (room <= 0)
            return 0;
        at = memchr(from, '\n', (size_t)room);
        return at ? at - from : room;
#else
        while (at < stop && *at != '\n')
            at++;
        return at - from;
#endif
    case OP_LITERAL:
        while (at < stop && *at == code[pc + 1])
            at++;
        return at - from;
    case OP_NOT_LITERAL:
        while (at < stop && *at != code[pc + 1])
            at++;
        return at - from;
    default:
        break;
    }
    if (p->table_of && p->table_of[pc]) {
        const uint8_t *table = p->tables + (size_t)(p->table_of[pc] - 1) * 256;
#if WIDTH == 1
        while (at < stop && table[*at])
            at++;
#else
        while (at < stop && (*at < 256 ? table[*at] : sre_item_takes(code + pc, *at)))
            at++;
#endif
        return at - from;
    }
    while (at < stop && sre_item_takes(code + pc, *at))
        at++;
    return at - from;
}

static int NAME(is_word)(const CHAR *s, Py_ssize_t i, Py_ssize_t end, uint32_t category)
{
    return i >= 0 && i < end && sre_category(category, s[i]);
}

static int NAME(at)(const sre_state *st, const CHAR *s, Py_ssize_t i, uint32_t where)
{
    Py_ssize_t end = st->end;
    uint32_t category = CAT_WORD;
    switch (where) {
    case AT_BEGINNING: case AT_BEGINNING_STRING:
        return i == 0;
    case AT_BEGINNING_LINE:
        return i == 0 || s[i - 1] == '\n';
    case AT_END:
        return i == end || (i + 1 == end && s[i] == '\n');
    case AT_END_LINE:
        return i == end || s[i] == '\n';
    case AT_END_STRING:
        return i == end;
    case AT_LOC_BOUNDARY: case AT_LOC_NON_BOUNDARY:
        category = CAT_LOC_WORD;
        break;
    case AT_UNI_BOUNDARY: case AT_UNI_NON_BOUNDARY:
        category = CAT_UNI_WORD;
        break;
    default:
        break;
    }
    if (end <= 0)
        return 0;
    int boundary = NAME(is_word)(s, i - 1, end, category) != NAME(is_word)(s, i, end, category);
    return where == AT_BOUNDARY || where == AT_LOC_BOUNDARY || where == AT_UNI_BOUNDARY ? boundary : !boundary;
}

/* Where does a repetition of the group's text at i end? -1: it is not there, or the group has not matched. */
static Py_ssize_t NAME(repeat_group)(const sre_state *st, const CHAR *s, Py_ssize_t i, uint32_t op, uint32_t group)
{
    Py_ssize_t from = st->marks[2 * (size_t)group], to = st->marks[2 * (size_t)group + 1];
    if (from < 0 || to < from || to - from > st->end - i)
        return -1;
    for (; from < to; from++, i++) {
        uint32_t a = s[from], b = s[i];
        if (a == b)
            continue;
        if (op == OP_GROUPREF
            || (op == OP_GROUPREF_IGNORE && sre_lower_ascii(a) != sre_lower_ascii(b))
            || (op == OP_GROUPREF_LOC_IGNORE && sre_lower_locale(a) != sre_lower_locale(b))
            || (op == OP_GROUPREF_UNI_IGNORE && sre_lower_unicode(a) != sre_lower_unicode(b)))
            return -1;
    }
    return i;
}

/* The largest n in [least, n] such that what follows an item repeat, at tail, can match at i + n; less than least:
 * none. */
static inline Py_ssize_t NAME(give_back)(const sre_state *st, const uint32_t *code, size_t tail, const CHAR *s,
                                         Py_ssize_t i, Py_ssize_t n, Py_ssize_t least)
{
    if (code[tail] != OP_LITERAL) {
        while (n >= least && !NAME(viable)(st, code, tail, s, i + n))
            n--;
        return n;
    }
    uint32_t literal = code[tail + 1];
    if (n >= least && i + n >= st->end)
        n--;
    if (n < least)
        return n;
#if WIDTH == 1
    if (n - least > 16 && literal < 256) {
        const CHAR *at = memrchr(s + i + least, (int)literal, (size_t)(n - least + 1));
        return at ? at - (s + i) : least - 1;
    }
#endif
    while (n >= least && s[i + n] != literal)
        n--;
    return n;
}

/* Matches at start. 1, 0 or -1 as sre_match. */
static int NAME(run)(sre_state *st, Py_ssize_t start)
{
    const uint32_t *code = st->pattern->code;
    const CHAR *s = st->data;
    const Py_ssize_t end = st->end;
    Py_ssize_t i = start, n;
    size_t pc = 0, tail;
    uint32_t repeat = 0;
    size_t barrier = NO_BARRIER;
    sre_record r;

    reset(st);
    for (;;) {
        const uint32_t *op = code + pc;
        switch (op[0]) {
        case OP_LITERAL:
            if (i >= end || s[i] != op[1])
                goto fail;
            i++;
            pc += 2;
            continue;
        case OP_NOT_LITERAL:
            if (i >= end || s[i] == op[1])
                goto fail;
            i++;
            pc += 2;
            continue;
        case OP_ANY:
            if (i >= end || s[i] == '\n')
                goto fail;
            i++;
            pc += 1;
            continue;
        case OP_ANY_ALL:
            if (i >= end)
                goto fail;
            i++;
            pc += 1;
            continue;
        case OP_IN: case OP_IN_IGNORE: case OP_IN_LOC_IGNORE: case OP_IN_UNI_IGNORE:
            if (i >= end || !NAME(takes)(st, code, pc, s[i]))
                goto fail;
            i++;
            pc += 1 + op[1];
            continue;
        case OP_CATEGORY:
        case OP_LITERAL_IGNORE: case OP_NOT_LITERAL_IGNORE: case OP_LITERAL_LOC_IGNORE:
        case OP_NOT_LITERAL_LOC_IGNORE: case OP_LITERAL_UNI_IGNORE: case OP_NOT_LITERAL_UNI_IGNORE:
            if (i >= end || !sre_item_takes(op, s[i]))
                goto fail;
            i++;
            pc += 2;
            continue;
        case OP_MARK:
            if (set_mark(st, op[1], i) < 0)
                return -1;
            pc += 2;
            continue;
        case OP_AT:
            if (!NAME(at)(st, s, i, op[1]))
                goto fail;
            pc += 2;
            continue;
        case OP_INFO: case OP_JUMP:
            pc += 1 + op[1];
            continue;
        case OP_GROUPREF: case OP_GROUPREF_IGNORE: case OP_GROUPREF_LOC_IGNORE: case OP_GROUPREF_UNI_IGNORE:
            n = NAME(repeat_group)(st, s, i, op[0], op[1]);
            if (n < 0)
                goto fail;
            i = n;
            pc += 2;
            continue;
        case OP_GROUPREF_EXISTS: {
            Py_ssize_t from = st->marks[2 * (size_t)op[1]], to = st->marks[2 * (size_t)op[1] + 1];
            pc += from >= 0 && to >= from ? 3 : 1 + op[2];
            continue;
        }

        case OP_BRANCH:
            pc++;
        branch:
            while (code[pc] && !NAME(viable)(st, code, pc + 1, s, i))
                pc += code[pc];
            if (!code[pc])
                goto fail;
            for (tail = pc + code[pc]; code[tail] && !NAME(viable)(st, code, tail + 1, s, i);)
                tail += code[tail];
            if (code[tail] && push(st, E_BRANCH, tail, i, repeat, 0) < 0)
                return -1;
            pc++;
            continue;

        case OP_REPEAT_ONE:
            n = NAME(count)(st, code, pc + 4, s, i, op[3]);
            tail = pc + 1 + op[1];
            n = NAME(give_back)(st, code, tail, s, i, n, (Py_ssize_t)op[2]);
            if (n < (Py_ssize_t)op[2])
                goto fail;
            if (n > (Py_ssize_t)op[2] && push(st, E_REPEAT_ONE, pc, i, repeat, n) < 0)
                return -1;
            i += n;
            pc = tail;
            continue;
        case OP_POSSESSIVE_REPEAT_ONE:
            n = NAME(count)(st, code, pc + 4, s, i, op[3]);
            if (n < (Py_ssize_t)op[2])
                goto fail;
            i += n;
            pc += 1 + op[1];
            continue;
        case OP_MIN_REPEAT_ONE:
            n = op[2] ? NAME(count)(st, code, pc + 4, s, i, op[2]) : 0;
            if (n < (Py_ssize_t)op[2])
                goto fail;
            i += n;
            goto min_repeat_one;

        case OP_REPEAT:
            if (!(repeat = record_new(st, pc, repeat, -1, -1)))
                return -1;
            pc += 1 + op[1];
            continue;
        case OP_MAX_UNTIL:
        case OP_MIN_UNTIL: {
            if (spend(st) < 0)
                return -1;
            r = st->records[repeat];
            Py_ssize_t count = r.count + 1;
            const uint32_t *rep = code + r.pc;
            if (count < (Py_ssize_t)rep[2]) {
                if (!(repeat = record_new(st, r.pc, r.outer, count, r.last)))
                    return -1;
                pc = r.pc + 4;
                continue;
            }
            int more = (rep[3] == SRE_MAXREPEAT || count < (Py_ssize_t)rep[3]) && i != r.last;
            if (!more) {
                repeat = r.outer;
                pc++;
            }
            else if (op[0] == OP_MAX_UNTIL) {
                /* first what follows the repeat, to return to, then another round */
                if (!NAME(viable)(st, code, r.pc + 4, s, i)) {
                    repeat = r.outer;
                    pc++;
                    continue;
                }
                if (NAME(viable)(st, code, pc + 1, s, i) && push(st, E_CHOICE, pc + 1, i, r.outer, 0) < 0)
                    return -1;
                if (!(repeat = record_new(st, r.pc, r.outer, count, i)))
                    return -1;
                pc = r.pc + 4;
            }
            else {
                uint32_t next = record_new(st, r.pc, r.outer, count, i);
                if (!next || push(st, E_CHOICE, r.pc + 4, i, next, 0) < 0)
                    return -1;
                repeat = r.outer;
                pc++;
            }
            continue;
        }

        case OP_POSSESSIVE_REPEAT:
            if (!(repeat = record_new(st, pc, repeat, 0, -1)))
                return -1;
        possessive:
            op = code + pc;
            r = st->records[repeat];
            if ((op[3] != SRE_MAXREPEAT && r.count >= (Py_ssize_t)op[3])
                || (r.count >= (Py_ssize_t)op[2] && i == r.last)) {
                repeat = r.outer;
                pc += 2 + op[1];
                continue;
            }
            if (push(st, E_POSSESSIVE, pc, i, repeat, (Py_ssize_t)barrier) < 0)
                return -1;
            barrier = st->depth - 1;
            pc += 4;
            continue;
        case OP_ATOMIC_GROUP:
            if (push(st, E_ATOMIC, pc, i, repeat, (Py_ssize_t)barrier) < 0)
                return -1;
            barrier = st->depth - 1;
            pc += 2;
            continue;
        case OP_ASSERT:
            if (i < (Py_ssize_t)op[2])
                goto fail;
            if (push(st, E_ASSERT, pc, i, repeat, (Py_ssize_t)barrier) < 0)
                return -1;
            barrier = st->depth - 1;
            i -= op[2];
            pc += 3;
            continue;
        case OP_ASSERT_NOT:
            if (i < (Py_ssize_t)op[2]) {
                pc += 1 + op[1];
                continue;
            }
            if (push(st, E_ASSERT_NOT, pc, i, repeat, (Py_ssize_t)barrier) < 0)
                return -1;
            barrier = st->depth - 1;
            i -= op[2];
            pc += 3;
            continue;

        case OP_SUCCESS: {
            if (barrier == NO_BARRIER) {
                if ((st->match_all && i != end) || i == st->must_advance)
                    goto fail;
                st->start = start;
                st->ptr = i;
                return 1;
            }
            sre_entry e = st->stack[barrier];
            if (e.kind == E_ASSERT_NOT) {
                roll_back(st, barrier);
                barrier = (size_t)e.extra;
                goto fail;
            }
            commit(st, barrier);
            barrier = (size_t)e.extra;
            repeat = e.repeat;
            st->used = e.records;
            pc = e.pc;
            if (e.kind == E_POSSESSIVE) {
                if (spend(st) < 0)
                    return -1;
                st->records[repeat].count++;
                st->records[repeat].last = e.ptr;
                goto possessive;
            }
            if (e.kind == E_ASSERT)
                i = e.ptr;
            pc += 1 + code[pc + 1];
            continue;
        }
        case OP_FAILURE:
            goto fail;
        default:
            Py_UNREACHABLE();
        }

    min_repeat_one:
        /* pc: the repeat; n items were taken, up to i. Take more until what follows has a chance */
        op = code + pc;
        tail = pc + 1 + op[1];
        for (; !NAME(viable)(st, code, tail, s, i); i++, n++)
            if (i >= end || (op[3] != SRE_MAXREPEAT && n >= (Py_ssize_t)op[3])
                || !NAME(takes)(st, code, pc + 4, s[i]))
                goto fail;
        if (push(st, E_MIN_REPEAT_ONE, pc, i, repeat, n) < 0)
            return -1;
        pc = tail;
        continue;

    fail:
        if (st->depth == 0)
            return 0;
        if (spend(st) < 0)
            return -1;
        sre_entry *e = &st->stack[st->depth - 1];
        if (e->kind == E_MARK) {
            st->marks[e->pc] = e->ptr;
            st->lastindex = e->extra;
            st->depth--;
            goto fail;
        }
        pc = e->pc;
        i = e->ptr;
        n = e->extra;
        repeat = e->repeat;
        st->used = e->records;
        switch (e->kind) {
        case E_CHOICE:
            st->depth--;
            continue;
        case E_BRANCH:
            st->depth--;
            goto branch;
        case E_REPEAT_ONE:
            op = code + pc;
            tail = pc + 1 + op[1];
            n = NAME(give_back)(st, code, tail, s, i, n - 1, (Py_ssize_t)op[2]);
            if (n > (Py_ssize_t)op[2])
                e->extra = n;
            else
                st->depth--;
            if (n < (Py_ssize_t)op[2])
                goto fail;
            i += n;
            pc = tail;
            continue;
        case E_MIN_REPEAT_ONE:
            st->depth--;
            op = code + pc;
            if (i >= end || (op[3] != SRE_MAXREPEAT && n >= (Py_ssize_t)op[3])
                || !NAME(takes)(st, code, pc + 4, s[i]))
                goto fail;
            i++;
            n++;
            goto min_repeat_one;
        case E_ASSERT_NOT:
            /* its body cannot match: go on behind it */
            st->depth--;
            barrier = (size_t)n;
            pc += 1 + code[pc + 1];
            continue;
        case E_POSSESSIVE:
            st->depth--;
            barrier = (size_t)n;
            r = st->records[repeat];
            if (r.count < (Py_ssize_t)code[pc + 2])
                goto fail;
            repeat = r.outer;
            pc += 2 + code[pc + 1];
            continue;
        default:
            st->depth--;
            barrier = (size_t)n;
            goto fail;
        }
    }
}

/* The next place of the literal prefix in [i, end); -1: none. */
static Py_ssize_t NAME(find_prefix)(const PatternObject *p, const CHAR *s, Py_ssize_t i, Py_ssize_t end)
{
    Py_ssize_t length = p->prefix_length;
    if (end - i < length)
        return -1;
#if WIDTH == 1
    if (!p->prefix_bytes)
        return -1;
    const CHAR *at = length == 1 ? memchr(s + i, p->prefix_bytes[0], (size_t)(end - i))
                                 : memmem(s + i, (size_t)(end - i), p->prefix_bytes, (size_t)length);
    return at ? at - s : -1;
#else
    uint32_t first = p->prefix[0];
    for (end -= length - 1; i < end; i++) {
        if (s[i] != first)
            continue;
        Py_ssize_t n = 1;
        while (n < length && s[i + n] == p->prefix[n])
            n++;
        if (n == length)
            return i;
    }
    return -1;
#endif
}

static int NAME(search)(sre_state *st)
{
    const PatternObject *p = st->pattern;
    const CHAR *s = st->data;
    Py_ssize_t end = st->end, i = st->start;
    for (; i <= end && end - i >= p->min_width; i++) {
        if (p->anchored && i > 0)
            return 0;
        if (p->anchored) {
            /* no looking ahead */
        }
        else if (p->prefix_length) {
            i = NAME(find_prefix)(p, s, i, end);
            if (i < 0)
                return 0;
            if (p->prefix_is_all) {
                reset(st);
                st->start = i;
                st->ptr = i + p->prefix_length;
                return 1;
            }
        }
        else if (p->has_first) {
#if WIDTH == 1
            while (i < end && !p->first[s[i]])
                i++;
#else
            while (i < end && !(s[i] < 256 ? p->first[s[i]] : p->first_wide))
                i++;
#endif
            if (i >= end)
                return 0;
        }
        int status = NAME(run)(st, i);
        if (status)
            return status;
    }
    return 0;
}
