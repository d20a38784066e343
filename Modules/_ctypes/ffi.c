/* How structures, unions and arrays are described to libffi, so that they can be passed and returned by value.
 *
 * libffi knows structures of elements at their natural places, and nothing else. A structure is described by its
 * members, an array as a structure of equal elements. What has unions or bit fields in it, or is packed, and is small
 * enough to be passed in registers, is described by the registers it takes: 8 bytes each, a floating one if nothing but
 * floats lies in them. What is too big for registers goes through memory: only its size and alignment count. */
#include "ctypes.h"

enum { MAX_IN_REGISTERS = 64, MAX_WORDS = 2 };

typedef struct {
    bool has_integer[MAX_WORDS], has_float[MAX_WORDS];
    bool has_long_double;
} words;

static ffi_type *by_value(ctypes_info *info) { return info->kind == KIND_ARRAY ? &info->ffi_storage : info->ffi; }

/* Notes which words a value of this class at offset touches. */
static void look_at(words *w, const ctypes_info *info, Py_ssize_t offset)
{
    if (info->kind == KIND_STRUCTURE || info->kind == KIND_UNION) {
        for (Py_ssize_t i = 0; i < info->length; i++)
            look_at(w, ctypes_info_find(info->members[i].type), offset + info->members[i].offset);
        return;
    }
    if (info->kind == KIND_ARRAY) {
        const ctypes_info *item = ctypes_info_find(info->item);
        for (Py_ssize_t i = 0; item->size > 0 && i < info->length; i++)
            look_at(w, item, offset + i * item->size);
        return;
    }
    int kind = info->kind == KIND_SIMPLE ? info->access.code->kind : CODE_POINTER;
    if (kind == CODE_LONG_DOUBLE)
        w->has_long_double = true;
    for (Py_ssize_t i = offset / 8; i <= (offset + info->size - 1) / 8 && i < MAX_WORDS; i++)
        *(kind == CODE_FLOAT || kind == CODE_DOUBLE ? &w->has_float[i] : &w->has_integer[i]) = true;
}

/* Elements for up to 8 bytes of one kind. How many. */
static int add_word(ffi_type **elements, bool is_float, Py_ssize_t size)
{
    ffi_type *whole = size == 8   ? (is_float ? &ffi_type_double : &ffi_type_uint64)
                      : size == 4 ? (is_float ? &ffi_type_float : &ffi_type_uint32)
                      : size == 2 ? &ffi_type_uint16
                                  : NULL;
    if (whole != NULL) {
        elements[0] = whole;
        return 1;
    }
    for (int i = 0; i < size; i++)
        elements[i] = &ffi_type_uint8;
    return (int)size;
}

static int describe_words(ctypes_info *info)
{
    words w = {0};
    ffi_type **elements = info->ffi_elements = PyMem_Calloc(8 * MAX_WORDS + 1, sizeof(ffi_type *));
    if (elements == NULL)
        return -1;
    look_at(&w, info, 0);
    if (w.has_long_double) {
        elements[0] = &ffi_type_longdouble;
        return 0;
    }
    for (Py_ssize_t done = 0, i = 0; done < info->size; done += 8, i++) {
        Py_ssize_t size = info->size - done < 8 ? info->size - done : 8;
        elements += add_word(elements, w.has_float[i] && !w.has_integer[i], size);
    }
    return 0;
}

static int describe_members(ctypes_info *info)
{
    info->ffi_elements = PyMem_Calloc((size_t)info->length + 1, sizeof(ffi_type *));
    if (info->ffi_elements == NULL)
        return -1;
    for (Py_ssize_t i = 0; i < info->length; i++)
        info->ffi_elements[i] =
            by_value(ctypes_info_find(info->kind == KIND_ARRAY ? info->item : info->members[i].type));
    return 0;
}

static int describe_memory(ctypes_info *info)
{
    info->ffi_elements = PyMem_Calloc(2, sizeof(ffi_type *));
    if (info->ffi_elements == NULL)
        return -1;
    info->ffi_elements[0] = &ffi_type_uint8;
    return 0;
}

int ctypes_ffi_describe(ctypes_info *info)
{
    int result;
    if (info->size > MAX_IN_REGISTERS || info->size == 0)
        result = describe_memory(info);
    else if (info->has_odd_layout)
        result = info->size <= 8 * MAX_WORDS ? describe_words(info) : describe_memory(info);
    else
        result = describe_members(info);
    if (result < 0) {
        PyErr_NoMemory();
        return -1;
    }
    info->ffi_storage = (ffi_type){
        .size = (size_t)info->size, .alignment = (unsigned short)info->align, .type = FFI_TYPE_STRUCT,
        .elements = info->ffi_elements
    };
    if (info->kind != KIND_ARRAY)
        info->ffi = &info->ffi_storage;
    return 0;
}
