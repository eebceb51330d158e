// What libmongocrypt calls of crypt_shared, for tests of how it is found and loaded. It marks nothing; with STUB_REFUSES in the
// environment it refuses every command.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct { int error; } status;

status *mongo_crypt_v1_status_create(void) { return calloc(1, sizeof(status)); }
void mongo_crypt_v1_status_destroy(status *s) { free(s); }
int mongo_crypt_v1_status_get_error(const status *s) { return s->error; }
const char *mongo_crypt_v1_status_get_explanation(const status *s) { return s->error ? "Cannot query on field 'bloodType'" : ""; }
int mongo_crypt_v1_status_get_code(const status *s) { return s->error ? 51158 : 0; }
void *mongo_crypt_v1_lib_create(status *s) { (void)s; return malloc(1); }
int mongo_crypt_v1_lib_destroy(void *lib, status *s) { (void)s; free(lib); return 0; }
uint64_t mongo_crypt_v1_get_version(void) { return 0x0008000000000000; }
const char *mongo_crypt_v1_get_version_str(void) { return "mongo_crypt_v1-stub-8.0.0"; }
void *mongo_crypt_v1_query_analyzer_create(void *lib, status *s) { (void)lib; (void)s; return malloc(1); }
void mongo_crypt_v1_query_analyzer_destroy(void *analyzer) { free(analyzer); }
void mongo_crypt_v1_bson_free(uint8_t *bson) { free(bson); }

// { schemaRequiresEncryption: true, hasEncryptionPlaceholders: false, result: the command }
uint8_t *mongo_crypt_v1_analyze_query(void *analyzer, const uint8_t *command, const char *ns, uint32_t ns_length, uint32_t *length, status *s) {
    static const char head[] = "\x08schemaRequiresEncryption\0\x01\x08hasEncryptionPlaceholders\0\0\x03result";
    (void)analyzer; (void)ns; (void)ns_length;
    if (getenv("STUB_REFUSES")) { s->error = 1; return NULL; }
    int32_t command_length;
    memcpy(&command_length, command, 4);
    *length = 4 + sizeof(head) + command_length + 1;
    uint8_t *reply = calloc(1, *length);
    memcpy(reply, length, 4);
    memcpy(reply + 4, head, sizeof(head));
    memcpy(reply + 4 + sizeof(head), command, command_length);
    return reply;
}
