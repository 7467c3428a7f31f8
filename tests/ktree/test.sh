#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tools/ktree, run --mmu, explore --mmu and diff-mmu on the small tree of mini/ and on broken copies of it, as TAP. With
# KTREE in the environment (a kernel source tree) the scenarios run on that one, too.
#
# Usage: tests/ktree/test.sh BUILD
set -u
build=$(cd "$1" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
ktree=$here/../../tools/ktree
tdxsim=$build/tools/tdxsim
scenarios=$here/../scenarios
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
n=0

# ok NAME STATUS WANTED [TEXT]: the last command ended so, and its output in $work/out has the text.
ok() {
	n=$((n + 1))
	if [ "$2" = "$3" ] && grep -qF -- "${4:-}" out; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1: status $2, expected $3 and \"${4:-}\""
		tail -30 out | sed 's/^/# /'
	fi
}

skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

make_tree() { # TREE DIR
	"$ktree" "$1" --build "$2" --tdxsim "$build" >out 2>&1
}

# broken NAME FILE SED: a copy of the small tree with an edit.
broken() {
	rm -rf "$1"
	cp -r "$here/mini" "$1"
	sed -i "$3" "$1/$2"
	cmp -s "$1/$2" "$here/mini/$2" && echo "# the edit of $1 changed nothing"
	make_tree "$1" "k-$1"
}

for tool in make objcopy as bc; do
	command -v $tool >/dev/null || { echo "1..0 # SKIP no $tool"; exit 0; }
done

make_tree "$here/mini" k
ok "a tree builds" $? 0 "tree's    arch/x86/kvm/mmu/tdp_mmu.c"
make_tree "$here/mini" k
ok "and again" $? 0
"$tdxsim" run --mmu k "$here"/*.scn "$scenarios"/s0*.scn >out 2>&1
ok "scenarios run on it" $? 0 "ran code of the kernel tree (mini)"
"$tdxsim" run --mmu=k --seed 3 "$here/shared.scn" >out 2>&1
ok "in a random order" $? 0 "MMU of kernel tree mini"
"$tdxsim" diff-mmu --mmu k "$here" >out 2>&1
ok "they are alike on the port" $? 0 "2 scenarios: 2 alike, 0 differ, 0 skipped"
cat >small.scn <<'END'
td   vcpus=2
gmem g0 size=2M backing=4k
slot 0 gpa=0x80000000 size=2M gmem=g0+0
host: convert 0x80000000 8K shared
parallel {
  vcpu0: write 0x80000000 1 shared
  vcpu1: write 0x80001000 2 shared
}
END
"$tdxsim" explore --mmu k --max-states 3000 small.scn >out 2>&1
ok "explore runs on it" $? 0 "states=3000 "

mmu=arch/x86/kvm/mmu
broken warns $mmu/tdp_mmu.c 's/^\tkvm_mmu_hugepage_adjust(vcpu, fault);/&\n\tWARN_ON_ONCE(fault->write);/'
"$tdxsim" run --mmu k-warns "$here/shared.scn" >out 2>&1
ok "a WARN names its line" $? 4 "$mmu/tdp_mmu.c:$(grep -n 'WARN_ON_ONCE(fault->write)' "$here/../../tests/ktree/mini/$mmu/tdp_mmu.c" warns/$mmu/tdp_mmu.c | cut -d: -f2)"
"$tdxsim" diff-mmu --mmu k-warns "$here/shared.scn" >out 2>&1
ok "and is a difference" $? 1 "broken warn"
broken bugs $mmu/tdp_mmu.c 's/^\tkvm_mmu_hugepage_adjust(vcpu, fault);/&\n\tif (fault->write)\n\t\tBUG();/'
"$tdxsim" run --mmu k-bugs "$here/shared.scn" >out 2>&1
ok "a BUG ends the run" $? 4 "oracle bug broke"
broken unlocked $mmu/tdp_mmu.c 's/^\trcu_read_lock();//'
"$tdxsim" run --mmu k-unlocked "$here/shared.scn" >out 2>&1
ok "RCU misuse is reported" $? 4 "oracle rcu broke"
broken wronglock $mmu/tdp_mmu.c 's/^\tlockdep_assert_held_read(&vcpu/\tlockdep_assert_held_write(\&vcpu/'
"$tdxsim" run --mmu k-wronglock "$here/shared.scn" >out 2>&1
ok "a lock assertion is reported" $? 4 "oracle warn broke"
broken needs $mmu/tdp_mmu.c 's/^\tkvm_mmu_hugepage_adjust(vcpu, fault);/&\n\textern void msleep(unsigned int);\n\tmsleep(1);/'
"$tdxsim" run --mmu k-needs "$here/shared.scn" >out 2>&1
ok "a call of what nobody has is named" $? 4 "the tree's code needs msleep"
broken spins $mmu/tdp_mmu.c 's/^\tkvm_mmu_hugepage_adjust(vcpu, fault);/&\n\twhile (!READ_ONCE(vcpu->kvm->vm_dead))\n\t\t;/'
"$tdxsim" run --mmu k-spins "$here/shared.scn" >out 2>&1
ok "a loop of reads ends" $? 4 "oracle livelock broke"
broken leaks $mmu/tdp_mmu.c 's/^\tfree_pages((unsigned long)sp->spt, 0);//'
"$tdxsim" run --mmu k-leaks "$here/shared.scn" >out 2>&1
ok "a table that is never freed is missed" $? 4 "oracle pages-balanced broke"
broken older $mmu/tdp_mmu.h 's/\(put_root(struct kvm \*kvm, struct kvm_mmu_page \*root\))/\1, bool shared)/'
ok "a prototype of another form is shown" $? 2 "bool shared);"
broken nameless $mmu/tdp_mmu.h 's/.*kvm_mmu_uninit_tdp_mmu.*//'
ok "a name that is gone is an error" $? 2 "kvm_mmu_uninit_tdp_mmu"
broken refuses Makefile 's/@cp .*/@grep -v PREEMPT $(KCONFIG_ALLCONFIG) >$(O)\/.config/'
ok "a refused option is named" $? 2 'refuses "CONFIG_PREEMPT=y"'

mkdir -p empty
"$ktree" empty >out 2>&1
ok "no tree" $? 2 "expected a kernel source tree"
"$tdxsim" run --mmu nowhere "$here/shared.scn" >out 2>&1
ok "no build of a tree" $? 2 "tools/ktree TREE --build nowhere"
"$tdxsim" run "$here/shared.scn" --mmu >out 2>&1
ok "no directory" $? 2 "--mmu takes a directory"
"$tdxsim" diff-mmu "$here/shared.scn" >out 2>&1
ok "diff-mmu without a tree" $? 2 "expected --mmu DIR"
"$tdxsim" run --help >out 2>&1
ok "help tells of it" $? 0 "--mmu DIR"

if [ -n "${KTREE:-}" ]; then
	make_tree "$KTREE" theirs
	ok "KTREE builds" $? 0
	"$tdxsim" run --mmu theirs --set module.dynamic_pamt=off --set kvm.tdx_huge_page=off "$here"/*.scn >out 2>&1
	ok "KTREE runs the scenarios of this folder" $? 0 "2 ok, 0 not"
	"$tdxsim" run --mmu theirs --set module.dynamic_pamt=off --set kvm.tdx_huge_page=off --replay /dev/null "$scenarios"/*.scn >all 2>&1
	echo "# $(tail -1 all)"
else
	skip "KTREE builds" "KTREE is not set"
	skip "KTREE runs the scenarios of this folder" "KTREE is not set"
fi
echo "1..$n"
