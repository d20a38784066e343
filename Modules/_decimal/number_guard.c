/* Operations on large numbers, which end with STATUS_MEMORY where memory runs out. */
#include "number.h"

#include "internal/gmp_guard.h"

/* Numbers up to this size, and exponents and precisions that add no more, make small computations. */
enum { SMALL_DIGITS = 1500 };

static int is_small(const number_t *a)
{
    return a == NULL || (a->digits <= SMALL_DIGITS && a->exp <= SMALL_DIGITS && a->exp >= -SMALL_DIGITS);
}

typedef struct {
    union {
        number_unary *unary;
        number_binary *binary;
        number_ternary *ternary;
        number_pair *pair;
    };
    number_t *r, *rest;
    const number_t *a, *b, *c;
    const settings_t *s;
    int64_t exp;
    int order;
    uint32_t *status;
} work_t;

/* Runs the work, guarded if need be; r and rest are fresh. */
static void run(void (*work)(void *data), work_t *w)
{
    if (is_small(w->a) && is_small(w->b) && is_small(w->c) && (w->s == NULL || w->s->prec <= SMALL_DIGITS)) {
        work(w);
        return;
    }
    if (gmp_guarded(work, w) == 0)
        return;
    number_init(w->r);
    if (w->rest != NULL)
        number_init(w->rest);
    number_set_invalid(w->r, STATUS_MEMORY, w->status);
}

static void run_unary(void *data)
{
    work_t *w = data;
    w->unary(w->r, w->a, w->s, w->status);
}

void number_call_unary(number_unary *function, number_t *r, const number_t *a, const settings_t *s, uint32_t *status)
{
    run(run_unary, &(work_t){.unary = function, .r = r, .a = a, .s = s, .status = status});
}

static void run_binary(void *data)
{
    work_t *w = data;
    w->binary(w->r, w->a, w->b, w->s, w->status);
}

void number_call_binary(number_binary *function, number_t *r, const number_t *a, const number_t *b, const settings_t *s,
                        uint32_t *status)
{
    run(run_binary, &(work_t){.binary = function, .r = r, .a = a, .b = b, .s = s, .status = status});
}

static void run_ternary(void *data)
{
    work_t *w = data;
    w->ternary(w->r, w->a, w->b, w->c, w->s, w->status);
}

void number_call_ternary(number_ternary *function, number_t *r, const number_t *a, const number_t *b, const number_t *c,
                         const settings_t *s, uint32_t *status)
{
    run(run_ternary, &(work_t){.ternary = function, .r = r, .a = a, .b = b, .c = c, .s = s, .status = status});
}

static void run_pair(void *data)
{
    work_t *w = data;
    w->pair(w->r, w->rest, w->a, w->b, w->s, w->status);
}

void number_call_pair(number_pair *function, number_t *q, number_t *r, const number_t *a, const number_t *b,
                      const settings_t *s, uint32_t *status)
{
    run(run_pair, &(work_t){.pair = function, .r = q, .rest = r, .a = a, .b = b, .s = s, .status = status});
}

static void run_cmp(void *data)
{
    work_t *w = data;
    w->order = number_cmp(w->a, w->b);
}

int number_call_cmp(const number_t *a, const number_t *b, int *order)
{
    uint32_t status = 0;
    number_t unused;
    work_t work = {.r = &unused, .a = a, .b = b, .status = &status};
    run(run_cmp, &work);
    *order = work.order;
    return status != 0 ? -1 : 0;
}

static void run_copy(void *data)
{
    work_t *w = data;
    number_set(w->r, w->a);
}

void number_copy(number_t *r, const number_t *a, uint32_t *status)
{
    run(run_copy, &(work_t){.r = r, .a = a, .status = status});
}

static void run_finalize(void *data)
{
    work_t *w = data;
    number_set(w->r, w->a);
    number_finalize(w->r, w->s, w->status);
}

void number_finalize_in_place(number_t *r, const settings_t *s, uint32_t *status)
{
    if (is_small(r)) {
        number_finalize(r, s, status);
        return;
    }
    number_t result;
    number_init(&result);
    run(run_finalize, &(work_t){.r = &result, .a = r, .s = s, .status = status});
    number_clear(r);
    *r = result;
}

static void run_rescale(void *data)
{
    work_t *w = data;
    number_rescale(w->r, w->a, w->exp, w->s, w->status);
}

void number_call_rescale(number_t *r, const number_t *a, int64_t exp, const settings_t *s, uint32_t *status)
{
    run(run_rescale, &(work_t){.r = r, .a = a, .exp = exp, .s = s, .status = status});
}

/* ---- Digits ---- */

typedef struct {
    number_t *r;
    const number_t *a;
    const char *digits;
    char *text;
} digits_work_t;

static void read_digits(void *data)
{
    digits_work_t *w = data;
    mpz_set_str(w->r->c, w->digits, 10);
    number_count(w->r);
}

void number_read_digits(number_t *r, const char *digits, size_t n, uint32_t *status)
{
    digits_work_t work = {.r = r, .digits = digits};
    if (n <= SMALL_DIGITS)
        read_digits(&work);
    else if (gmp_guarded(read_digits, &work) < 0) {
        number_init(r);
        number_set_invalid(r, STATUS_MEMORY, status);
    }
}

static void write_digits(void *data)
{
    digits_work_t *w = data;
    mpz_get_str(w->text, 10, w->a->c);
}

int number_write_digits(char *text, const number_t *a)
{
    digits_work_t work = {.text = text, .a = a};
    if (a->digits > SMALL_DIGITS)
        return gmp_guarded(write_digits, &work);
    write_digits(&work);
    return 0;
}
