/* The file of frozen library modules: the code of importlib and of what every program imports, compiled when the interpreter was
 * built (Tools/freeze_modules.py), so that a start neither compiles nor searches for it.
 *
 * It is mapped into memory once, before there are threads, and stays. All offsets count from its start; the texts end with a NUL.
 *
 *      struct header       marks, how many modules, the directory of the library that was compiled
 *      struct entry [n]    one a module
 *      texts and marshalled code
 *
 * A module counts only while its source has the size and the time of modification that it had then, so that a changed library
 * is noticed; the file as a whole only for the same instructions and the same directory. */
#include "importer.h"
#include "config.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct header {
    char mark[8];
    uint32_t magic, count, library, size;       /* size: of the whole file */
};

struct entry {
    uint32_t name, origname, path, is_package;  /* path: of the source, in the library */
    uint32_t code, code_size;
    uint64_t source_size, source_time;          /* bytes, nanoseconds */
};

static const char *file;                        /* [const] after start-up; NULL: there is none to be used */

enum { UNKNOWN, FRESH, STALE };
#define MAX_MODULES 64
static uint8_t freshness[MAX_MODULES];          /* [atomic] */

static const struct header *header(void) { return (const struct header *)(const void *)file; }
static const struct entry *entry(int i) { return (const struct entry *)(const void *)(file + sizeof(struct header)) + i; }

/* Is it a whole file of ours, for this interpreter and its library? */
static int usable(const char *data, size_t size)
{
    const struct header *h = (const struct header *)(const void *)data;
    if (size < sizeof(*h) || memcmp(h->mark, "braidfrz", 8) != 0 || h->size != size || h->magic != import_magic_number()
        || h->count > MAX_MODULES || size < sizeof(*h) + h->count * sizeof(struct entry) || data[size - 1] != 0)
        return 0;
    const struct entry *e = (const struct entry *)(const void *)(h + 1);
    for (uint32_t i = 0; i < h->count; i++, e++)
        if (e->name >= size || e->origname >= size || e->path >= size || e->code > size || e->code_size > size - e->code)
            return 0;
    return h->library < size && strcmp(data + h->library, config_stdlib()) == 0;
}

void import_frozen_file_open(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        void *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        if (data != MAP_FAILED && usable(data, (size_t)st.st_size))
            file = data;
        else if (data != MAP_FAILED)
            munmap(data, (size_t)st.st_size);
    }
    close(fd);
}

static int is_fresh(int i)
{
    int known = __atomic_load_n(&freshness[i], __ATOMIC_RELAXED);
    if (known == UNKNOWN) {
        char path[4096];
        struct stat st;
        int n = snprintf(path, sizeof(path), "%s/%s", config_stdlib(), file + entry(i)->path);
        known = n < (int)sizeof(path) && stat(path, &st) == 0 && (uint64_t)st.st_size == entry(i)->source_size
                && (uint64_t)st.st_mtim.tv_sec * 1000000000u + (uint64_t)st.st_mtim.tv_nsec == entry(i)->source_time ? FRESH : STALE;
        __atomic_store_n(&freshness[i], (uint8_t)known, __ATOMIC_RELAXED);
    }
    return known == FRESH;
}

int import_frozen_file_count(void) { return file != NULL ? (int)header()->count : 0; }

const char *import_frozen_file_name(int i) { return file + entry(i)->name; }

int import_frozen_file_find(const char *name, frozen_module_t *m)
{
    for (int i = 0; i < import_frozen_file_count(); i++)
        if (strcmp(import_frozen_file_name(i), name) == 0 && is_fresh(i)) {
            *m = (frozen_module_t){.origname = file + entry(i)->origname, .is_package = (int)entry(i)->is_package, .own = -1,
                                   .code = file + entry(i)->code, .code_size = entry(i)->code_size};
            return 1;
        }
    return 0;
}
