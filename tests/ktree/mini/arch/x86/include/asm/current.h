/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The task of this CPU, by the older name of where it stands.
 */
#ifndef MINI_CURRENT_H
#define MINI_CURRENT_H

struct task_struct {
	unsigned long flags;
};

struct pcpu_hot {
	struct task_struct *current_task;
	int preempt_count;
};
extern struct pcpu_hot pcpu_hot;

#define PREEMPT_ENABLED 0

static inline int preempt_count(void)
{
	return pcpu_hot.preempt_count;
}

static inline void preempt_count_set(int count)
{
	pcpu_hot.preempt_count = count;
}

static inline bool need_resched(void)
{
	return pcpu_hot.current_task->flags;
}

#endif
