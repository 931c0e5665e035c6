/*
 * What the files of the program `leat` share. It is made of the public interface alone.
 *
 * Standard output carries results, one JSON object or one run of hex digits a line; standard error carries
 * complaints, each a line that begins with "leat: ".
 */
#ifndef LEAT_TOOL_H
#define LEAT_TOOL_H

#include <leat/buffer.h>
#include <leat/builder.h>
#include <leat/leat.h>
#include <leat/session.h>
#include <stdbool.h>
#include <stdio.h>

/* Exit codes. */
#define EXIT_DONE      0
#define EXIT_MALFORMED 1 /* the input was not sound; everything sound before it was printed */
#define EXIT_USAGE     2 /* wrong usage, or a file that cannot be read or written, or no memory */

#define CHUNK_BYTES ((size_t)65536) /* most that one read() asks for */

/* commands.c: the table of commands. A command is called by its two words: leat decode zabbix. */

/* A row of a command's --help: an option, or an operand (whose name does not begin with a dash). */
struct option {
    const char *name;
    const char *argument; /* what follows the option; NULL: nothing */
    const char *help;     /* lines, the last one without its end */
};

struct arguments;

struct command {
    const char *verb;
    const char *noun; /* the dialect's name, if the command is for one */
    const char *synopsis;
    const char *summary;
    const char *help;             /* a paragraph */
    const struct option *rows[5]; /* tables that end with a row without a name; NULL ends them */
    const char *codes;            /* exit codes, and what else is to be said at the end */
    const char *examples;
    size_t operands_min;
    size_t operands_max;
    int (*run)(const struct arguments *arguments);
};

/* All commands. */
const struct command *command_table(size_t *count);

/* options.c: what follows the two words. */

#define ROWS_MAX     48
#define GIVEN_MAX    256
#define OPERANDS_MAX 256

struct arguments {
    const struct command *command;
    const char *values[ROWS_MAX]; /* as the command's rows; NULL: not given */
    const char *operands[OPERANDS_MAX];
    size_t operand_count;
    size_t given_rows[GIVEN_MAX]; /* all options in their order, those that are repeated too */
    const char *given_values[GIVEN_MAX];
    size_t given_count;
};

/* False, with a complaint, if the words are not as the command wants them. */
bool arguments_read(struct arguments *arguments, const struct command *command, int count,
                    char *const *words, bool *help);

/* What was given for an option ("--from"), "" if it takes nothing; NULL: it was not given. */
const char *option_value(const struct arguments *arguments, const char *name);
bool option_given(const struct arguments *arguments, const char *name);

/* The same for options that may be repeated: the next one of that name, from *at (0, at first) on. */
const char *option_next(const struct arguments *arguments, const char *name, size_t *at);

/* Prints the rows of the command's help. */
void options_help(FILE *to, const struct command *command);

/*
 * Values of options. False, with a complaint, if one was given that is wrong; *value stays as it was if none was
 * given.
 */
bool option_number(const struct arguments *arguments, const char *name, uint64_t least,
                   uint64_t most, uint64_t *value);
/* Seconds, with a fraction or not. */
bool option_seconds(const struct arguments *arguments, const char *name, uint64_t *ms);

/* Digits of a base up to 16 that are all of the text, or up to length. False: they are not. */
bool number_read(const char *text, size_t length, unsigned base, uint64_t *number);

/* dialect.c */

struct dialect {
    const char *name;
    const char *title;
    int (*codec_new)(const leat_config *config, uint32_t from, leat_session **session);
};

/* The dialect of that name, or NULL with a complaint: there is none, or it was left out of this build. */
const struct dialect *dialect_find(const char *name);

/* LEAT_FROM_*, by the word of --from; false if there is none. */
bool from_read(const char *word, size_t length, uint32_t *from);

/* A codec session that reads what that side of the dialect says; NULL if there is no such side. */
leat_session *dialect_open(const struct dialect *dialect, uint32_t from);

/* The commands; NULL if their dialect was left out of this build. */

int decode_stream(const struct arguments *arguments);
int decode_capture(const struct arguments *arguments);
#ifdef WITH_BROKER
int decode_broker_data(const struct arguments *arguments);
int encode_broker_data(const struct arguments *arguments);
int broker_peer(const struct arguments *arguments);
int zeek_agent(const struct arguments *arguments);
int zeek_controller(const struct arguments *arguments);
int zeek_events(const struct arguments *arguments);
#else
#define decode_broker_data NULL
#define encode_broker_data NULL
#define broker_peer        NULL
#define zeek_agent         NULL
#define zeek_controller    NULL
#define zeek_events        NULL
#endif
#if defined(WITH_BROKER) && defined(WITH_OPENSSL)
int broker_ws(const struct arguments *arguments);
int zeek_client(const struct arguments *arguments);
#else
#define broker_ws   NULL
#define zeek_client NULL
#endif
#ifdef WITH_ESTREAMER
int decode_estreamer_record(const struct arguments *arguments);
int encode_estreamer_record(const struct arguments *arguments);
int estreamer_client(const struct arguments *arguments);
int estreamer_server(const struct arguments *arguments);
#else
#define decode_estreamer_record NULL
#define encode_estreamer_record NULL
#define estreamer_client        NULL
#define estreamer_server        NULL
#endif
#ifdef WITH_ZABBIX
int zabbix_proxy(const struct arguments *arguments);
int zabbix_server(const struct arguments *arguments);
int zabbix_send(const struct arguments *arguments);
int zabbix_get(const struct arguments *arguments);
#else
#define zabbix_proxy  NULL
#define zabbix_server NULL
#define zabbix_send   NULL
#define zabbix_get    NULL
#endif

/* input.c: files, read in chunks or in lines of any length. */

struct input {
    int descriptor;
    const char *name; /* for complaints */
    bool live;        /* not a regular file: print what there is before waiting for more */
    char *buffer;     /* of lines */
    size_t size;
    size_t start;
    size_t end;
    size_t searched; /* octets behind start that hold no end of a line */
    bool ended;
};

/* path NULL or "-": standard input. False, with a complaint, if it cannot be opened. */
bool input_open(struct input *input, const char *path);
void input_close(struct input *input);

/* Up to size octets; 0: the end. A failure of the system ends the program. */
size_t input_read(struct input *input, void *space, size_t size);

/* The next line, without its end (LF or CR LF); valid until the next call. False: there is none. */
bool input_line(struct input *input, const char **line, size_t *length);

/* One read() behind what was read before. False: there was nothing, it has ended. */
bool input_pull(struct input *input);
/* The next line of what was read, as above. False: it is not there as a whole. */
bool input_whole_line(struct input *input, const char **line, size_t *length);

/*
 * A whole file of at most limit octets and a NUL, in memory that the caller frees. NULL, with a complaint: it
 * cannot be read.
 */
char *input_file(const char *path, size_t limit, size_t *length);

/* All of it and a NUL, in memory that the caller frees; more than limit octets end the program. */
char *input_whole(struct input *input, size_t limit, size_t *length);

/* Hex digits with any white space, in pieces. Starts with high = -1. */
struct hex_reader {
    int high;    /* the first digit of a pair, or -1 */
    uint64_t at; /* characters read */
};

/*
 * Reads until the end of the text or a character that does not belong, of which hex->at then is the place.
 * octets has room for length / 2 + 1, and may be where the text is. Returns the octets stored; *sound tells
 * if all was read.
 */
size_t hex_read(struct hex_reader *hex, const char *text, size_t length, uint8_t *octets,
                bool *sound);

/* output.c */

struct output {
    leat_builder *scratch;
    leat_buffer *text;
    uint64_t supplied;    /* octets that the session got before those of the input */
    uint64_t undecodable; /* events so far; the next two are of the first one */
    uint64_t undecodable_at;
    const char *undecodable_reason;
};

/* Where in a recording an event comes from. */
struct origin {
    const char *dir;
    size_t dir_length;
    uint64_t conn;
    bool has_conn;
    const char *proxy; /* which is at the other end; NULL: none, or it is not known */
    const char *peer;  /* its address; NULL: it goes without saying */
};

/* A buffer without limits. */
void new_buffer(leat_buffer **buffer);

void output_open(struct output *output);
void output_close(struct output *output);

/* An offset in the session's stream, as it is in the input. */
uint64_t output_offset(const struct output *output, uint64_t offset);

/*
 * Prints one event as a line. origin is NULL unless it comes from a recording, names unless the ids in it
 * have some.
 */
void output_event(struct output *output, const leat_event *event, const struct origin *origin,
                  const leat_value *names);

/* Parts of a line: what stands before a value ("{\"topic\":"), and the value, or a text. */
void output_put(struct output *output, const char *before, const leat_value *value);
void output_put_text(struct output *output, const char *before, const char *text, size_t length);

/* Prints a line for what is no part of a conversation. */
void output_news(struct output *output, const char *name, const char *proxy,
                 const leat_value *value);

/* Complains about the events that could not be decoded; false if there was none. */
bool output_undecodable(const struct output *output, const char *file);

/* Prints what is wrong with a line, in the place of its result. */
void output_error(struct output *output, const char *text, uint64_t offset, const char *field);

/* Prints, as a line: the JSON text of a value; a buffer as it is; a buffer as hex digits. */
void output_json(struct output *output, const leat_value *value);
void output_text(const leat_buffer *text);
void output_hex(const leat_buffer *octets);

/* Writes octets as hex digits. */
void put_hex(FILE *to, const uint8_t *octets, size_t length);

/* Writes out what was printed. A failure ends the program. */
void output_flush(void);

#if defined(__GNUC__)
#define LIKE_PRINTF(text, values) __attribute__((format(printf, text, values)))
#else
#define LIKE_PRINTF(text, values)
#endif

/* A line on standard error, after all that was printed. */
void complain(const char *format, ...) LIKE_PRINTF(1, 2);

/* Ends the program if status says that memory ran out. */
void need_memory(int status);

/*
 * lines.c: commands that convert one value a line. A line that is not sound has its error printed in its
 * place, so that the lines of input and output correspond.
 */

struct lines {
    const struct arguments *arguments;
    uint32_t record_type;
    struct input input;
    struct output output;
    leat_builder *value; /* empty for each line */
    leat_buffer *octets; /* empty for each line */
    uint8_t *hex;
    size_t hex_size;
    const char *problem; /* of the last line that was refused */
    const char *problem_field;
    uint64_t problem_offset;
};

/* Prints the result of the line, or answers false by one of the two functions below. */
typedef bool line_convert(struct lines *lines, const char *line, size_t length);

int each_line(const struct arguments *arguments, const char *path, uint32_t record_type,
              line_convert *convert);

/* Notes what is wrong with the line. Returns false. */
bool line_refuse(struct lines *lines, const leat_error *error);

/* Reads the line as hex digits into lines->hex; *length becomes the number of octets. */
bool line_octets(struct lines *lines, const char *line, size_t *length);

#endif
