// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
//
// Writes the cheap counters of all processes at once. Section iter/task (Documentation/bpf/bpf_iterators.rst, since Linux 5.8):
// the program runs once for each thread that the reader's pid namespace has, in the order of their numbers there. Pinned with
// `bpftool iter pin`, it is a file: each open and read to the end is one pass. src/kernel/task-records.ts reads the
// records, and src/kernel/bpf-files.ts uses them.
//
//   header       once, before the first thread
//   process      for each process; its counters are those of its first thread and of its threads that have ended
//   thread       for each other thread; its counters belong to the process `tgid`, which may come later
//   end          once: a pass without it was cut
//
// All numbers are the machine's own, little-endian on x86-64 and arm64. No address of the kernel or of a process leaves it.
//
// The fields of kernel structures are declared here, as few as are used. libbpf finds their places in the running kernel by
// their names (CO-RE), so that one object serves all kernels from 5.8 on, and needs no header of any. A name with ___old is
// the same structure as older kernels have it.
//
// bpf_seq_write and bpf_probe_read_kernel are open only to programs whose licence is compatible with the GPL.

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef short __s16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

/* Of include/uapi/linux/bpf.h. */
#define BPF_MAP_TYPE_PERCPU_ARRAY 6

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct pid_namespace {
	unsigned int level;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct task_io_accounting {
	__u64 read_bytes;
	__u64 write_bytes;
};

struct prev_cputime {
	__u64 utime;
	__u64 stime;
};

struct signal_struct {
	int nr_threads;
	/* PIDTYPE_TGID is 1 since Linux 4.19 (include/linux/pid_types.h). */
	struct pid *pids[2];
	__u64 utime, stime;
	__u64 cutime, cstime;
	__u64 sum_sched_runtime;
	struct prev_cputime prev_cputime;
	unsigned long min_flt, maj_flt;
	struct task_io_accounting ioac;
};

struct percpu_counter {
	__s64 count;
	__s32 *counters;
};

/* File, anonymous, swap, shared memory: MM_FILEPAGES to MM_SHMEMPAGES of include/linux/mm_types_task.h. */
#define KINDS 4

struct mm_struct {
	unsigned long total_vm;
	struct percpu_counter rss_stat[KINDS];
};

struct atomic_long___old {
	long counter;
};

struct mm_rss_stat___old {
	struct atomic_long___old count[KINDS];
};

/* Before Linux 6.2. */
struct mm_struct___old {
	struct mm_rss_stat___old rss_stat;
};

/* Of a map with a value for each CPU: what their addresses have in common. */
struct bpf_array {
	void *pptrs[1];
};

struct sched_entity {
	__u64 sum_exec_runtime;
};

struct task_struct {
	unsigned int __state;
	int exit_state;
	unsigned int flags;
	int pid, tgid;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct signal_struct *signal;
	struct mm_struct *mm;
	struct sched_entity se;
	__u64 utime, stime;
	unsigned long min_flt, maj_flt;
	__u64 start_boottime;
	__u64 self_exec_id;
	char comm[16];
	struct task_io_accounting ioac;
};

/* Before Linux 5.14. */
struct task_struct___old {
	long state;
};

#pragma clang attribute pop

#define MAGIC 0x4b415248 /* "HRAK" */
#define VERSION 1

enum kind { HEADER = MAGIC, PROCESS = 1, THREAD = 2, END = 3 };

/* Flags of a process. */
#define KERNEL_THREAD 1
/* The resident pages are at least as exact as those of statm; else they are without the remainders of single CPUs. */
#define EXACT 2
/* The kernel counts storage I/O (CONFIG_TASK_IO_ACCOUNTING). */
#define HAS_IO 4

struct header {
	__u32 kind;
	__u32 size;
	__u32 version;
	__u32 process_size;
	__u32 thread_size;
	__u32 unused;
};

struct counters {
	/* Nanoseconds. The first two are sampled by the clock tick, the third is what the scheduler measured. */
	__u64 utime, stime, runtime;
	__u64 min_flt, maj_flt;
	/* Bytes. */
	__u64 read_bytes, write_bytes;
};

struct process {
	__u32 kind;
	__u32 size;
	__u32 pid;
	__u32 ppid;
	__u32 state;
	__u32 exit_state;
	__u32 flags;
	__u32 threads;
	/* Nanoseconds since boot. */
	__u64 start;
	struct counters counters;
	/* Nanoseconds of children that were waited for. */
	__u64 cutime, cstime;
	/* What stat showed last, nanoseconds: the kernel never shows less. */
	__u64 prev_utime, prev_stime;
	/* Each exec adds one. */
	__u64 exec_id;
	/* Pages. */
	__u64 total_vm;
	__s64 rss[KINDS];
	char comm[16];
};

struct thread {
	__u32 kind;
	__u32 size;
	__u32 tgid;
	__u32 unused;
	struct counters counters;
};

struct end {
	__u32 kind;
	__u32 size;
};

#define PF_KTHREAD 0x00200000

/* On a host with more CPUs their remainders are not summed: statm is cheaper then. */
#define CPUS_MAX 128

/*
 * Where the memory of each CPU begins, relative to addresses that are declared per CPU. The kernel tells it to no program,
 * but it follows from a map that has a value for each CPU: the address of each of these is known, and what they have in
 * common stands in the map's own structure. Every pass finds the same offsets.
 */
static __u64 offsets[CPUS_MAX];
static __u32 cpus;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, char[512]);
} per_cpu SEC(".maps");

/*
 * The number of a process in the reader's pid namespace; 0 where it has none there. Only threads of the first namespace have
 * level 0, and only a reader there sees them.
 */
static __always_inline __u32 number_of(struct pid *pid, struct pid_namespace *ns, __u32 level)
{
	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0;
	__u64 size = bpf_core_field_size(pid->numbers[0]);
	const char *first = (const char *)__builtin_preserve_access_index(&pid->numbers[0]);
	const struct upid *number = (const void *)(first + level * size);
	if (BPF_CORE_READ(number, ns) != ns)
		return 0;
	return BPF_CORE_READ(number, nr);
}

static __always_inline void add(struct counters *out, struct task_struct *task)
{
	out->utime = task->utime;
	out->stime = task->stime;
	out->runtime = task->se.sum_exec_runtime;
	out->min_flt = task->min_flt;
	out->maj_flt = task->maj_flt;
	if (bpf_core_field_exists(task->ioac.read_bytes)) {
		out->read_bytes = task->ioac.read_bytes;
		out->write_bytes = task->ioac.write_bytes;
	}
}

static __always_inline void find_offsets(void)
{
	struct bpf_array *array = (void *)&per_cpu;
	__u64 at = bpf_core_field_offset(array->pptrs);
	__u64 common = 0;
	__u32 key = 0;
	char *bytes = bpf_map_lookup_elem(&per_cpu, &key);

	if (!bytes || at > 512 - sizeof(common) || bpf_probe_read_kernel(bytes, at + sizeof(common), array))
		return;
	common = *(__u64 *)(bytes + at);
	for (__u32 cpu = 0; cpu < CPUS_MAX; cpu++) {
		void *value = bpf_map_lookup_percpu_elem(&per_cpu, &key, cpu);
		__u64 address;

		if (!value) {
			cpus = cpu;
			return;
		}
		if (bpf_probe_read_kernel(&address, sizeof(address), &value))
			return;
		offsets[cpu] = address - common;
	}
}

/*
 * Adds what single CPUs have not yet added to the counters, as percpu_counter_sum() does. Since Linux 6.6 the four counters
 * lie side by side, so that one read a CPU gets all of them. Returns 0 where they cannot be read so, or moved meanwhile.
 */
static __always_inline int add_remainders(struct mm_struct *mm, __s64 *rss)
{
	const char *counters = (const char *)mm->rss_stat[0].counters;
	__s64 sum[KINDS] = { rss[0], rss[1], rss[2], rss[3] };

	if (cpus == 0 || !counters || (const char *)mm->rss_stat[1].counters != counters + 4 ||
	    (const char *)mm->rss_stat[3].counters != counters + 12)
		return 0;
	for (__u32 cpu = 0; cpu < CPUS_MAX && cpu < cpus; cpu++) {
		__s32 remainders[KINDS];

		if (bpf_probe_read_kernel(remainders, sizeof(remainders), counters + offsets[cpu]))
			return 0;
		sum[0] += remainders[0];
		sum[1] += remainders[1];
		sum[2] += remainders[2];
		sum[3] += remainders[3];
	}
	if (mm->rss_stat[0].count != rss[0] || mm->rss_stat[1].count != rss[1] || mm->rss_stat[2].count != rss[2] ||
	    mm->rss_stat[3].count != rss[3])
		return 0;
	rss[0] = sum[0];
	rss[1] = sum[1];
	rss[2] = sum[2];
	rss[3] = sum[3];
	return 1;
}

/* The kinds are written out: the compiler would turn an index that is not a constant into a distance between elements. */
static __always_inline void set_memory(struct process *out, struct mm_struct *mm)
{
	struct mm_struct___old *old = (void *)mm;

	out->total_vm = mm->total_vm;
	if (bpf_core_field_exists(old->rss_stat.count)) {
		/*
		 * The verifiers of Linux 5.10 and 6.1 follow no typedef in an array, so these are read as bytes: four times
		 * 64 bits. CPUs keep no remainders here, and statm shows the same numbers (get_mm_counter).
		 */
		if (!bpf_core_read(out->rss, sizeof(out->rss), &old->rss_stat.count))
			out->flags |= EXACT;
		return;
	}
	out->rss[0] = mm->rss_stat[0].count;
	out->rss[1] = mm->rss_stat[1].count;
	out->rss[2] = mm->rss_stat[2].count;
	out->rss[3] = mm->rss_stat[3].count;
	if (add_remainders(mm, out->rss))
		out->flags |= EXACT;
}

static __always_inline void set_process(struct process *out, struct task_struct *task)
{
	struct task_struct___old *old = (void *)task;
	struct signal_struct *signal = task->signal;

	out->state = bpf_core_field_exists(old->state) ? (__u32)old->state : task->__state;
	out->exit_state = task->exit_state;
	out->start = task->start_boottime;
	out->exec_id = task->self_exec_id;
	out->threads = signal->nr_threads;
	add(&out->counters, task);
	out->counters.utime += signal->utime;
	out->counters.stime += signal->stime;
	out->counters.runtime += signal->sum_sched_runtime;
	out->counters.min_flt += signal->min_flt;
	out->counters.maj_flt += signal->maj_flt;
	if (bpf_core_field_exists(signal->ioac.read_bytes)) {
		out->flags |= HAS_IO;
		out->counters.read_bytes += signal->ioac.read_bytes;
		out->counters.write_bytes += signal->ioac.write_bytes;
	}
	out->cutime = signal->cutime;
	out->cstime = signal->cstime;
	if (bpf_core_field_exists(signal->prev_cputime.utime)) {
		out->prev_utime = signal->prev_cputime.utime;
		out->prev_stime = signal->prev_cputime.stime;
	}
	/* A kernel thread may borrow the memory of a process. */
	if (task->flags & PF_KTHREAD)
		out->flags |= KERNEL_THREAD;
	else if (task->mm)
		set_memory(out, task->mm);
	bpf_probe_read_kernel(out->comm, sizeof(out->comm), task->comm);
}

SEC("iter/task")
int dump_tasks(struct bpf_iter__task *ctx)
{
	struct bpf_iter_meta *meta = ctx->meta;
	struct seq_file *seq = meta->seq;
	struct task_struct *task = ctx->task;
	__u32 tgid, ppid;

	if (!task) {
		struct end end = { END, sizeof(end) };
		bpf_seq_write(seq, &end, sizeof(end));
		return 0;
	}
	if (meta->seq_num == 0) {
		struct header header = { HEADER, sizeof(header), VERSION, sizeof(struct process), sizeof(struct thread), 0 };
		bpf_seq_write(seq, &header, sizeof(header));
		if (!bpf_core_field_exists(((struct mm_struct___old *)0)->rss_stat.count))
			find_offsets();
	}

	/* It ended after it was found: it has no number any more, and its process has its counters. */
	if (!task->thread_pid)
		return 0;
	int first = task->pid == task->tgid;
	if (task->thread_pid->level > 0) {
		struct task_struct *reader = (void *)bpf_get_current_task();
		struct pid *own = BPF_CORE_READ(reader, thread_pid);
		__u32 level = BPF_CORE_READ(own, level);
		__u64 size = bpf_core_field_size(own->numbers[0]);
		const char *numbers = (const char *)__builtin_preserve_access_index(&own->numbers[0]);
		const struct upid *number = (const void *)(numbers + level * size);
		struct pid_namespace *ns = BPF_CORE_READ(number, ns);

		tgid = number_of(BPF_CORE_READ(task, signal, pids[1]), ns, level);
		ppid = number_of(BPF_CORE_READ(task, real_parent, signal, pids[1]), ns, level);
	} else {
		tgid = task->tgid;
		ppid = task->real_parent->tgid;
	}

	if (first) {
		struct process process = { .kind = PROCESS, .size = sizeof(process), .pid = tgid, .ppid = ppid };
		set_process(&process, task);
		bpf_seq_write(seq, &process, sizeof(process));
	} else {
		struct thread thread = { .kind = THREAD, .size = sizeof(thread), .tgid = tgid };
		add(&thread.counters, task);
		bpf_seq_write(seq, &thread, sizeof(thread));
	}
	return 0;
}
