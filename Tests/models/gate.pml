/*
 * Model of the gate of lists and dicts (list.h, dict.h): one container L with one place, and two objects X and Y that pass
 * through it.  A owns L and both objects; B and C have counted references to L that do not publish it (a tuple).
 *
 * What runs: A puts an object into the place, takes it out again and drops it, reads the place without the lock while it
 * may, in any order; B and C, who go through the gate first, read without the lock, take the object out and drop it, or put
 * one back that they hold.  The counts themselves are those of refcount.pml; here a reference is an atomic step.
 *
 * What is checked: no object's memory is touched (try_incref) once it has been handed back.
 *
 *     spin -a gate.pml && gcc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c && ./pan -m100000
 * Each of these takes a rule away and must end in a violated assertion:
 *     -DBUG_OPENFIRST   the opener sets OPEN before it publishes what is there
 *     -DBUG_NOWALK      the opener does not publish what is there
 *     -DBUG_OWNER       the owner goes on storing unpublished objects into an open container
 *     -DBUG_WRITER      who is not the owner takes out of a closed container without opening it
 *     -DBUG_PUBONLY     a container that is merely PUBLISHED counts as open
 */
#ifndef KA
#define KA 4
#endif
#ifndef KB
#define KB 1
#endif

#define NONE 2

bool open = 0;                  /* LIST_OPEN, DICT_OPEN */
bool cpub = 0;                  /* L itself is PUBLISHED */
byte place = NONE;              /* the object there, or NONE */
bool lock = 0;
bool pub[2];                    /* PUBLISHED of X and Y */
byte refs[2];                   /* counted references */
bool dead[2], freed[2];
byte online = 7, grace[2];      /* QSBR: who still has to pass a quiescent point */

inline take_lock() { atomic { !lock -> lock = 1 } }
inline drop_lock() { lock = 0 }
inline quiesce(me) { atomic { grace[0] = grace[0] & ~(1 << me); grace[1] = grace[1] & ~(1 << me) } }

/* Drops one reference; the last one frees, at once or after the grace period. */
inline drop(x) {
    atomic {
        refs[x]--;
        if
        :: refs[x] == 0 -> dead[x] = 1; if :: pub[x] -> grace[x] = online :: else -> freed[x] = 1 fi
        :: else
        fi
    }
}

/* The lock-free read: load, then try to take a reference. */
inline read(me) {
    seen = place;
    if
    :: seen != NONE ->
        atomic {
            assert(!freed[seen]);
            if :: !dead[seen] -> refs[seen]++ :: else -> seen = NONE fi
        };
        if :: seen != NONE -> drop(seen) :: else fi
    :: else
    fi
}

/* Takes the object out, if there is one; afterwards the caller holds it. */
inline take_out() {
    if :: place != NONE -> held = place; place = NONE :: else fi
}

inline open_locked() {
    if
    :: !open ->
#ifdef BUG_OPENFIRST
        open = 1; cpub = 1; drop_lock(); take_lock();
        if :: place != NONE -> pub[place] = 1 :: else fi
#else
#ifndef BUG_NOWALK
        if :: place != NONE -> pub[place] = 1 :: else fi;
#endif
        cpub = 1; open = 1
#endif
    :: else
    fi
}

active proctype A()
{
    byte steps = 0, seen, held = NONE, made = 0;
    do
    :: steps < KA ->
        steps++;
        if
        :: made < 2 ->          /* a new object goes into the empty place */
            refs[made] = 1;
            take_lock();
            if
            :: place == NONE ->
#ifndef BUG_OWNER
                if :: open -> pub[made] = 1 :: else fi;
#endif
                place = made
            :: else -> held = made
            fi;
            drop_lock();
            if :: held != NONE -> drop(held); held = NONE :: else fi;
            made++
        :: take_lock(); take_out(); drop_lock();
            if :: held != NONE -> drop(held); held = NONE :: else fi
        :: read(0)
        :: cpub = 1             /* stores L in a published place */
        fi;
        quiesce(0)
    :: else -> break
    od;
    atomic { online = online & ~1; quiesce(0) }
}

proctype Visitor(byte me)
{
    byte steps = 0, seen, held = NONE;
    do
    :: steps < KB ->
        steps++;
        if
        ::
#ifndef BUG_WRITER
            take_lock(); open_locked(); drop_lock();
#endif
            take_lock(); take_out(); drop_lock();
            if :: held != NONE -> drop(held); held = NONE :: else fi
        ::
#ifdef BUG_PUBONLY
            if :: cpub :: else -> take_lock(); open_locked(); drop_lock() fi;
#else
            if :: open :: else -> take_lock(); open_locked(); drop_lock() fi;
#endif
            read(me)
        :: take_lock(); open_locked(); take_out(); drop_lock();     /* moves it: out and, if the place is free, in again */
            if
            :: held != NONE ->
                take_lock();
                if
                :: place == NONE -> pub[held] = 1; place = held; held = NONE
                :: else
                fi;
                drop_lock();
                if :: held != NONE -> drop(held); held = NONE :: else fi
            :: else
            fi
        fi;
        quiesce(me)
    :: else -> break
    od;
    atomic { online = online & ~(1 << me); quiesce(me) }
}

/* Memory whose grace period is over is handed back. */
active proctype Reclaimer()
{
end:
    do
    :: atomic { dead[0] && !freed[0] && grace[0] == 0 -> freed[0] = 1 }
    :: atomic { dead[1] && !freed[1] && grace[1] == 0 -> freed[1] = 1 }
    od
}

init { atomic { run Visitor(1); run Visitor(2) } }
