/* The parking lot. */
#include "sync_test.h"

static uint32_t word;
static int woken;

static void sleeper(int index)
{
    uint32_t expected = 1;
    (void)index;
    while (atomic_load_acquire_u32(&word) == 1)
        parking_lot_park(&word, &expected, 4, -1, NULL, 0);
    atomic_fetch_add_int(&woken, 1);
}

static void waker(int index)
{
    if (index != 0) {
        sleeper(index);
        return;
    }
    usleep(20000);
    atomic_store_release_u32(&word, 0);
    parking_lot_unpark_all(&word);
}

static void test_unpark_all(void **state)
{
    (void)state;
    word = 1;
    woken = 0;
    race(waker, 0);
    assert_int_equal(woken, RACERS - 1);
}

static void test_values_and_timeouts(void **state)
{
    (void)state;
    uint8_t byte = 3, other = 4;
    uint64_t wide = 7;
    assert_int_equal(parking_lot_park(&byte, &other, 1, -1, NULL, 0), PARK_AGAIN);
    assert_int_equal(parking_lot_park(&byte, &byte, 1, 0, NULL, 0), PARK_TIMEOUT);
    int64_t start = sync_now_ns();
    assert_int_equal(parking_lot_park(&wide, &wide, 8, 5000000, NULL, 0), PARK_TIMEOUT);
    assert_true(sync_now_ns() - start >= 5000000);
}

/* A ring of tokens: each thread waits for its number and passes on. */
#define ROUNDS 2000
static uint32_t turn;

static void nothing(void *context, void *arg, int more)
{
    (void)context;
    (void)arg;
    (void)more;
}

static void ring(int index)
{
    for (int i = 0; i < ROUNDS; i++) {
        uint32_t now;
        while ((now = atomic_load_acquire_u32(&turn)) % RACERS != (uint32_t)index)
            parking_lot_park(&turn, &now, 4, -1, NULL, 0);
        atomic_store_release_u32(&turn, now + 1);
        parking_lot_unpark_all(&turn);
    }
    parking_lot_unpark(&turn, nothing, NULL);
}

static void test_ring(void **state)
{
    (void)state;
    turn = 0;
    race(ring, 0);
    assert_int_equal(turn, ROUNDS * RACERS);
}

/* One of the waiters is told to come back; the others stay. */
static uint32_t gate = 1;
static int names[RACERS], interrupted[RACERS];

static void waits_by_name(int index)
{
    uint32_t expected = 1;
    if (index > 0) {
        interrupted[index] = parking_lot_park(&gate, &expected, 4, -1, &names[index], 0) == PARK_INTERRUPTED;
        return;
    }
    for (int i = 1; i < RACERS; i++)
        while (!parking_lot_is_queued(&gate, &names[i]))
            usleep(100);
    CHECK(!parking_lot_is_queued(&gate, &names[0]));
    CHECK(!parking_lot_interrupt(&gate, &names[0]));
    CHECK(parking_lot_interrupt(&gate, &names[2]));
    CHECK(!parking_lot_is_queued(&gate, &names[2]));
    CHECK(parking_lot_is_queued(&gate, &names[1]));
    parking_lot_unpark_all(&gate);
}

static void test_interrupt(void **state)
{
    (void)state;
    race(waits_by_name, 0);
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(interrupted[i], i == 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unpark_all),
        cmocka_unit_test(test_values_and_timeouts),
        cmocka_unit_test(test_ring),
        cmocka_unit_test(test_interrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
