/* How OpenSSL reaches a socket: a BIO that asks the system not to wait, whatever the descriptor's own mode, so that no
 * thread waits for the network while it holds a connection's lock. */
#include "ssl.h"
#include <stdint.h>
#include <sys/socket.h>

static int would_block(int code) { return code == EAGAIN || code == EWOULDBLOCK || code == EINTR; }

static int bio_fd(BIO *bio) { return (int)(intptr_t)BIO_get_data(bio); }

static int bio_write(BIO *bio, const char *data, int size)
{
    BIO_clear_retry_flags(bio);
    ssize_t n = send(bio_fd(bio), data, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && would_block(errno))
        BIO_set_retry_write(bio);
    return (int)n;
}

static int bio_read(BIO *bio, char *data, int size)
{
    BIO_clear_retry_flags(bio);
    errno = 0;
    ssize_t n = recv(bio_fd(bio), data, (size_t)size, MSG_DONTWAIT);
    if (n < 0 && would_block(errno))
        BIO_set_retry_read(bio);
    else if (n == 0)
        BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
    return (int)n;
}

static int bio_puts(BIO *bio, const char *text) { return bio_write(bio, text, (int)strlen(text)); }

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    switch (command) {
    case BIO_CTRL_FLUSH:
        return 1;
    case BIO_CTRL_EOF:
        return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0;
    case BIO_C_GET_FD:
        if (pointer != NULL)
            *(int *)pointer = bio_fd(bio);
        return bio_fd(bio);
    default:
        return 0;
    }
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

/* Made once; several threads that make it at the same time agree on one. */
static BIO_METHOD *bio_method(void)
{
    static BIO_METHOD *method;          /* [atomic] */
    BIO_METHOD *known = __atomic_load_n(&method, __ATOMIC_ACQUIRE);         /* pairs with the exchange */
    if (known != NULL)
        return known;
    BIO_METHOD *mine = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK | BIO_TYPE_DESCRIPTOR, "socket");
    if (mine == NULL || !BIO_meth_set_write(mine, bio_write) || !BIO_meth_set_read(mine, bio_read)
        || !BIO_meth_set_puts(mine, bio_puts) || !BIO_meth_set_ctrl(mine, bio_control)
        || !BIO_meth_set_create(mine, bio_create)) {
        BIO_meth_free(mine);
        return NULL;
    }
    if (__atomic_compare_exchange_n(&method, &known, mine, 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return mine;
    BIO_meth_free(mine);
    return known;
}

BIO *ssl_socket_bio_new(int fd)
{
    BIO_METHOD *method = bio_method();
    BIO *bio = method != NULL ? BIO_new(method) : NULL;
    if (bio != NULL)
        BIO_set_data(bio, (void *)(intptr_t)fd);
    return bio;
}
