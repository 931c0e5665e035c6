/* Runs a harness over the files of its corpus, where libFuzzer is not there to do it. */
#define _POSIX_C_SOURCE 200809L

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Exactly as large as the file, so that a read past its end is seen by a sanitizer. */
static int replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    struct stat about;
    uint8_t *data;
    size_t size;

    if (file == NULL || fstat(fileno(file), &about) != 0) {
        perror(path);
        return 1;
    }
    size = (size_t)about.st_size;
    data = malloc(size > 0 ? size : 1);
    if (data == NULL || fread(data, 1, size, file) != size) {
        perror(path);
        return 1;
    }
    (void)fclose(file);
    (void)LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 0;
}

int main(int count, char **folders)
{
    unsigned replayed = 0;
    int i;

    for (i = 1; i < count; i++) {
        DIR *folder = opendir(folders[i]);
        struct dirent *entry;

        if (folder == NULL) {
            perror(folders[i]);
            return 1;
        }
        while ((entry = readdir(folder)) != NULL) {
            char path[4096];

            if (entry->d_name[0] == '.')
                continue;
            (void)snprintf(path, sizeof path, "%s/%s", folders[i], entry->d_name);
            if (replay(path) != 0)
                return 1;
            replayed++;
        }
        (void)closedir(folder);
    }
    printf("%u files\n", replayed);
    return replayed > 0 ? 0 : 1;
}
