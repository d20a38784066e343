/*
 * Model of PyMutex (pymutex.h, lock.c) with leaf sections (critical_section_inline.h): one byte, N threads that take it again and again,
 * for a leaf section (BRIEF: unlocked by a plain store if nobody is seen to have parked) or for longer (unlocked by compare and exchange).
 *
 * What is checked: at most one thread has the lock; no thread sleeps for ever (no invalid end state).  Between the look and the plain store
 * somebody may park, and the store wipes out PARKED: who parks for a BRIEF lock does so for a short time only, that is, wakes by itself.
 *
 *     spin -a lock.pml && gcc -O2 -DSAFETY -o pan pan.c && ./pan
 * Must end in an error:
 *     -DBUG_PARK        a waiter parks for as long as it takes although the lock is BRIEF
 *     -DBUG_ANY         a leaf section takes a lock for which threads are parked, says BRIEF only, and unlocks it by the plain store
 */
#ifndef N
#define N 3
#endif
#ifndef K
#define K 2
#endif

#define LOCKED 1
#define PARKED 2
#define BRIEF 4

byte bits = 0, inside = 0, parked = 0;
bool asleep[N], given[N], naps[N];

/* Wakes one who sleeps; the bucket's lock makes it one step with the new value of the byte. With `give`, the lock is handed over. */
inline unpark(give) {
    atomic {
        w = 0;
        do
        :: w < N && !asleep[w] -> w++
        :: else -> break
        od;
        if
        :: w < N ->
            asleep[w] = 0; parked--;
            if :: give -> given[w] = 1; bits = LOCKED | (parked > 0 -> PARKED : 0)
               :: !give -> bits = (parked > 0 -> PARKED : 0)
            fi
        :: else -> bits = 0
        fi;
        w = 0
    }
}

proctype Thread(byte me) {
    byte k = 0, w = 0, seen = 0;
    bool brief = 0;
    do
    :: k == K -> break
    :: k < K ->
        k++;
        brief = 0;
        if
        :: atomic { bits == 0 -> bits = LOCKED | BRIEF; brief = 1 }
#ifdef BUG_ANY
        :: atomic { bits == PARKED -> bits = LOCKED | BRIEF; brief = 1 }
#endif
        :: skip ->
again:
            seen = bits;
            if
            :: !(seen & LOCKED) ->
                atomic { if :: bits == seen -> bits = bits | LOCKED :: else -> goto again fi }
            :: (seen & LOCKED) ->
                if
                :: seen & PARKED
                :: !(seen & PARKED) -> atomic { if :: bits == seen -> bits = bits | PARKED :: else -> goto again fi }
                fi;
                atomic {        /* parking_lot_park: only if the byte is what it was */
                    if
                    :: bits == (seen | PARKED) ->
                        asleep[me] = 1; parked++;
#ifndef BUG_PARK
                        naps[me] = (seen & BRIEF) != 0
#endif
                    :: else -> goto again
                    fi
                };
                if
                :: atomic { !asleep[me] -> if :: given[me] -> given[me] = 0 :: else -> goto again fi }
                :: atomic { asleep[me] && naps[me] -> asleep[me] = 0; parked--; goto again }     /* not seen, or not yet */
                fi
            fi
        fi;
        inside++; assert(inside == 1); inside--;
        if
        :: brief && !(bits & PARKED) -> bits = 0
        :: else ->
            if
            :: atomic { !(bits & PARKED) -> bits = 0 }
            :: bits & PARKED -> if :: unpark(0) :: unpark(1) fi
            fi
        fi
    od
}

init { byte i = 0; atomic { do :: i < N -> run Thread(i); i++ :: else -> break od } }
