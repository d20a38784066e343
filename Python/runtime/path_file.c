/* EXECUTABLE._pth: a file beside the executable (or beside a link to it) that says what sys.path is, line by line, for programs that
 * bring their own Python. Where there is one, neither the environment nor the user's modules count, and site is imported only if
 * a line asks for it. */
#include "config.h"
#include "interpreter.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONFIG (&runtime_interp.config)

/* Appends the parts of a path to an absolute one that is normal already ("" for the root): ".", ".." and "//" go.
 * 0, or -1 if it gets too long. */
static int append_parts(char *path, size_t room, const char *parts)
{
    size_t length = strlen(path);
    while (*parts != '\0') {
        size_t n = strcspn(parts, "/");
        if (n == 2 && parts[0] == '.' && parts[1] == '.') {
            char *slash = strrchr(path, '/');
            length = slash != NULL ? (size_t)(slash - path) : 0;
        }
        else if (n > 0 && !(n == 1 && parts[0] == '.')) {
            if (length + 1 + n >= room)
                return -1;
            path[length++] = '/';
            memcpy(path + length, parts, n);
            length += n;
        }
        path[length] = '\0';
        parts += n + (parts[n] == '/');
    }
    return 0;
}

/* One line without its end; folder: that of the executable. */
static void read_line(const char *folder, const char *line)
{
    char path[PATH_MAX];
    if (*line == '\0' || *line == '#')
        return;
    if (strcmp(line, "import site") == 0)
        CONFIG->site_import = 1;
    else if (strncmp(line, "import ", 7) == 0)
        fprintf(stderr, "unsupported 'import' line in ._pth file\n");
    else {
        snprintf(path, sizeof path, "%s", *line == '/' ? "" : folder);
        if (append_parts(path, sizeof path, line) == 0)
            string_list_add(&startup.path_lines, *path != '\0' ? path : "/");
    }
}

static char *strip(char *line)
{
    static const char space[] = " \t\r\n";
    line += strspn(line, space);
    size_t length = strlen(line);
    while (length > 0 && strchr(space, line[length - 1]) != NULL)
        line[--length] = '\0';
    return line;
}

void config_read_path_file(void)
{
    char path[PATH_MAX], folder[PATH_MAX] = "", *line = NULL;
    size_t room = 0;
    int first = 1;
    int n = snprintf(path, sizeof path, "%s._pth", startup.executable);
    FILE *file = *startup.executable == '/' && n < (int)sizeof path ? fopen(path, "r") : NULL;
    if (file == NULL)
        return;
    *strrchr(path, '/') = '\0';
    append_parts(folder, sizeof folder, path);
    startup.has_path_file = 1;
    CONFIG->isolated = CONFIG->safe_path = 1;
    CONFIG->use_environment = CONFIG->user_site = CONFIG->site_import = 0;
    while (getline(&line, &room, file) >= 0) {
        char *text = line;
        if (first && strncmp(text, "\xef\xbb\xbf", 3) == 0)
            text += 3;
        first = 0;
        read_line(folder, strip(text));
    }
    free(line);
    fclose(file);
}
