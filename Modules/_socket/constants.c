/* The integer constants of _socket. */
#include "socket.h"
#include <linux/can/bcm.h>
#include <linux/can/error.h>
#include <linux/can/isotp.h>
#include <linux/can/j1939.h>
#include <linux/can/raw.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>

/* In the kernel's interface, but not in all headers. */
#ifndef ALG_OP_SIGN
#define ALG_OP_SIGN 2
#define ALG_OP_VERIFY 3
#define ALG_SET_PUBKEY 6
#endif
#ifndef UDPLITE_SEND_CSCOV
#define UDPLITE_SEND_CSCOV 10
#define UDPLITE_RECV_CSCOV 11
#endif

static const struct {
    const char *name;
    long long value;
} constants[] = {
#define CONSTANT(name) {#name, (long long)(name)},
#define CONSTANT_AS(name, value) {#name, (long long)(value)},
#include "constants.def"
#undef CONSTANT
#undef CONSTANT_AS
};

int socket_add_constants(PyObject *module)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(constants); i++)
        if (PyModule_AddIntConstant(module, constants[i].name, (long)constants[i].value) < 0)
            return -1;
    return 0;
}
