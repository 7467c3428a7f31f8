/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The split of one huge page against vCPUs that accept in it, as SPIN sees it: what bench/spin measures beside
 * "tdxsim explore" on bench/split.scn. Two vCPUs enter, accept and exit; one splitter does BLOCK, TRACK, kick
 * and DEMOTE under mmu_lock, one huge page after the other. An abstraction: no module locks, no fault path, no guest_memfd.
 */
#define VCPUS 2
#define LEAVES 4	/* huge pages, each split once */
#define PAGES 4		/* 4K pages that each vCPU accepts in each of them */

mtype = { pending_2m, blocked_2m, table };

mtype entry[LEAVES] = pending_2m;
bool accepted[32];	/* [leaf][vcpu][page] */
byte epoch;		/* TD_EPOCH, modulo 4 */
byte bepoch[LEAVES];	/* BEPOCH of a blocked entry */
byte seen[VCPUS];	/* the epoch in which a vCPU entered */
bool inside[VCPUS];
bool request[VCPUS];	/* a kick that has not been answered */
bool mmu_lock;

/* An exit answers every kick. */
inline leave()
{
	d_step {
		inside[me] = false;
		request[me] = false
	}
}

/* The guest is between two instructions: an IPI may be there. */
inline enter()
{
	d_step {
		inside[me] = true;
		seen[me] = epoch
	}
}

proctype vcpu(byte me)
{
	byte leaf = 0, page = 0;

	enter();
	do
	:: leaf < LEAVES ->
		if
		:: request[me] -> leave(); enter()
		:: entry[leaf] == table ->	/* ACCEPT at 4K */
			atomic {
				assert(!accepted[(leaf * VCPUS + me) * PAGES + page]);
				accepted[(leaf * VCPUS + me) * PAGES + page] = true;
				page++;
				if
				:: page == PAGES -> page = 0; leaf++
				:: else
				fi
			}
		:: entry[leaf] != table ->	/* SIZE_MISMATCH or a fault: out, and wait for the splitter */
			leave();
			entry[leaf] == table;
			enter()
		fi
	:: else -> break
	od;
	leave()
}

proctype splitter()
{
	byte leaf = 0, i;

	do
	:: leaf < LEAVES ->
		atomic { !mmu_lock -> mmu_lock = true };
		d_step { entry[leaf] = blocked_2m; bepoch[leaf] = epoch };	/* BLOCK */
		epoch = (epoch + 1) % 4;					/* TRACK */
		i = 0;
		do
		:: i < VCPUS ->							/* kick */
			atomic {
				if
				:: inside[i] -> request[i] = true
				:: else
				fi;
				i++
			}
		:: else -> break
		od;
		i = 0;
		do
		:: i < VCPUS -> !request[i]; i++				/* wait until they are out */
		:: else -> break
		od;
		atomic {							/* DEMOTE */
			i = 0;
			do
			:: i < VCPUS ->
				assert(!inside[i] || seen[i] != bepoch[leaf]);
				i++
			:: else -> break
			od;
			entry[leaf] = table
		};
		mmu_lock = false;
		leaf++
	:: else -> break
	od
}

init {
	atomic {
		byte i = 0;

		do
		:: i < VCPUS -> run vcpu(i); i++
		:: else -> break
		od;
		run splitter()
	}
}
