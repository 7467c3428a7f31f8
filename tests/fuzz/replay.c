// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files and directories of inputs through a target, one by one: how the normal suite runs the seed
 * corpora, how a crash is looked at, and the program that AFL++ runs ("... -- fuzz-scenario @@").
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tests/fuzz/target.h"

#define INPUT_MAX (1U << 20)

static unsigned int inputs;

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(INPUT_MAX);
	size_t len;

	if (!f || !data) {
		perror(path);
		free(data);
		return 2;
	}
	len = fread(data, 1, INPUT_MAX, f);
	fclose(f);
	LLVMFuzzerTestOneInput(data, len);
	inputs++;
	free(data);
	return 0;
}

static int run_dir(const char *path)
{
	struct dirent **name = NULL;
	int nr = scandir(path, &name, NULL, alphasort), ret = 0;

	for (int i = 0; i < nr; i++) {
		char file[4096];

		snprintf(file, sizeof(file), "%s/%s", path, name[i]->d_name);
		if (name[i]->d_name[0] != '.' && !ret)
			ret = run_file(file);
		free(name[i]);
	}
	free(name);
	return nr < 0 ? 2 : ret;
}

/*
 * By AFL++'s compiler, without an operand: its inputs come one after the other to one process, which
 * keeps its machines.
 */
#ifdef __AFL_COMPILER
__AFL_FUZZ_INIT();

static int run_afl(void)
{
	unsigned char *buf;

	__AFL_INIT();
	buf = __AFL_FUZZ_TESTCASE_BUF;
	while (__AFL_LOOP(10000))
		LLVMFuzzerTestOneInput(buf, (size_t)__AFL_FUZZ_TESTCASE_LEN);
	return 0;
}
#else
static int run_afl(void)
{
	return 2;
}
#endif

int main(int argc, char **argv)
{
	int ret = 0;

	if (argc == 1)
		return run_afl();
	for (int i = 1; i < argc && !ret; i++) {
		struct stat st;

		if (stat(argv[i], &st)) {
			perror(argv[i]);
			return 2;
		}
		ret = S_ISDIR(st.st_mode) ? run_dir(argv[i]) : run_file(argv[i]);
	}
	printf("%u inputs\n", inputs);
	return ret || !inputs ? 2 : 0;
}
