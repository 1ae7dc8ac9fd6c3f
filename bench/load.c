/*
 * The load generator: WebSocket clients and their origin server in one process, one thread, raw sockets. It sends
 * prepared frames through a proxy, verifies every byte that comes out at the other end, and reads the proxy's CPU time
 * from /proc at the start and the end of the measured window. One JSON line a report on stdout.
 *
 * The payload of message n: eight ASCII characters that say n (six bits each), then a fixed pattern; or, with
 * --templates, the n-th of a cycle of given payloads. The receiver knows both, so a lost, altered, repeated or
 * reordered byte is an error. Text frames: a proxy that checks UTF-8 has to do its work.
 *
 * modes  flow      pipelined, as fast as the proxy takes it       (--direction, --size, --connections)
 *        pace      --rate frames a second on each connection
 *        pong      ping-pong; latency
 *        sessions  connect, one message each way, closing handshake, again; --connections at a time, --count in all
 *        idle      opens --connections sessions, says so, waits for end of input
 *        stall     flow whose receivers read nothing until a line comes on stdin
 * Without OpenSSL (-DNO_TLS) there is no --tls.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifndef NO_TLS
#include <openssl/ec.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#else
typedef void SSL;
#endif

enum { READ_BYTES = 256 * 1024, CHUNK_BYTES = 256 * 1024, PERIOD = 1 << 20, HEAD_BYTES = 64 * 1024 };
enum { WINDOW_BYTES = 4 << 20 };
typedef enum { FLOW, PACE, PONG, SESSIONS, IDLE, STALL } Mode;
typedef enum { CONNECTING, TUNNEL, TLS_HANDSHAKE, HEAD, OPEN, CLOSING } State;

typedef struct Conn {
  int fd, id, isClient, wantsOut, reading, atEnd;
  State state;
  SSL *ssl;
  struct Conn *peer;
  char *head;
  int headLength;
  /* what is being sent: borrowed */
  const uint8_t *out;
  size_t outLength, outDone;
  /* sender */
  uint8_t *chunk, *small;
  uint64_t sent, frameOffset;
  int held; /* waits for the window or the pace */
  /* receiver */
  uint64_t received, payloadDone, payloadLength;
  uint8_t header[14];
  int headerHeld, inFrame, opcode;
  uint32_t key;
  uint64_t pingedNs;
} Conn;

static Mode mode;
static int fromClient = 1, connections = 1, tunnel, tls, originPort, proxyPort, fragments, headerBytes, extensions;
static uint64_t frameBytes = 32, count, rate;
static double warmupMs = 300, measureMs = 1000;
static int proxyPid;

static int epfd, listener;
static uint8_t *pattern, *readArea;
static uint16_t digits[4096];
static Conn **clients;
static uint8_t **templates;
static uint32_t *templateLengths;
static int templateCount;
static uint8_t *cycle[2];
static size_t cycleBytes[2];
static uint64_t totalReceived, totalBytes, totalSent, opened, finished;
static int stopping, closedCount;
static uint32_t *samples;
static size_t sampleCount;
enum { MAX_SAMPLES = 8 << 20 };
static int sampling;

static uint64_t nowNs(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  printf("{\"event\":\"failed\",\"error\":\"%s\",\"sent\":%llu,\"received\":%llu}\n", text,
         (unsigned long long)totalSent, (unsigned long long)totalReceived);
  fflush(stdout);
  _exit(3);
}

/* CPU time of all threads of the proxy in microseconds: the scheduler's own nanoseconds, else clock ticks. */
static double proxyCpuUs(void) {
  if (proxyPid == 0) return 0;
  char path[300], text[1024];
  snprintf(path, sizeof path, "/proc/%d/task", proxyPid);
  DIR *folder = opendir(path);
  double total = 0;
  int found = 0;
  for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
    if (entry->d_name[0] == '.') continue;
    snprintf(path, sizeof path, "/proc/%d/task/%s/schedstat", proxyPid, entry->d_name);
    FILE *file = fopen(path, "r");
    unsigned long long ns;
    if (file == NULL) continue;
    if (fscanf(file, "%llu", &ns) == 1) total += (double)ns / 1e3, found = 1;
    fclose(file);
  }
  if (folder != NULL) closedir(folder);
  if (found && total > 0) return total;
  snprintf(path, sizeof path, "/proc/%d/stat", proxyPid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  unsigned long user = 0, system = 0;
  char *after = strrchr(text, ')');
  if (after != NULL) sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system);
  return (double)(user + system) * 1e6 / (double)sysconf(_SC_CLK_TCK);
}

static double ownCpuUs(void) {
  struct timespec t;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* -- payloads -- */

static uint64_t counterText(uint64_t n) {
  return (uint64_t)digits[n & 4095] | (uint64_t)digits[(n >> 12) & 4095] << 16 |
         (uint64_t)digits[(n >> 24) & 4095] << 32 | (uint64_t)digits[(n >> 36) & 4095] << 48;
}

static uint64_t load64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return value;
}

static uint32_t turned(uint32_t key, uint64_t offset) {
  unsigned shift = (unsigned)(offset & 3) * 8;
  return shift == 0 ? key : key >> shift | key << (32 - shift);
}

/* 0 if `length` bytes XORed with the key are the expected ones; the key stands for the first of them */
static uint64_t differs(const uint8_t *bytes, const uint8_t *expected, size_t length, uint32_t key) {
  uint64_t wide = (uint64_t)key << 32 | key, found = 0;
  size_t i = 0;
  for (; i + 8 <= length; i += 8) found |= load64(bytes + i) ^ wide ^ load64(expected + i);
  for (; i < length; i++) found |= (uint8_t)(bytes[i] ^ expected[i] ^ (uint8_t)(key >> (8 * (i & 3))));
  return found;
}

static void check(Conn *c, const uint8_t *bytes, size_t length, uint64_t offset) {
  uint64_t wrong = 0, message = c->received;
  if (templateCount > 0) {
    wrong = differs(bytes, templates[message % (uint64_t)templateCount] + offset, length, turned(c->key, offset));
  } else {
    if (offset < 8) {
      uint64_t text = counterText(message);
      size_t part = length < 8 - offset ? length : 8 - offset;
      wrong = differs(bytes, (uint8_t *)&text + offset, part, turned(c->key, offset));
      bytes += part, length -= part, offset += part;
    }
    while (length > 0 && wrong == 0) {
      size_t at = offset & (PERIOD - 1), part = PERIOD - at < length ? PERIOD - at : length;
      wrong = differs(bytes, pattern + at, part, turned(c->key, offset));
      bytes += part, length -= part, offset += part;
    }
  }
  if (wrong != 0) fail("message %llu of connection %d is not what was sent", (unsigned long long)message, c->id);
}

static uint64_t lengthOf(uint64_t message) {
  return templateCount > 0 ? templateLengths[message % (uint64_t)templateCount] : frameBytes;
}

static uint8_t firstByte(uint64_t message) {
  if (templateCount > 0) return 0xc1;
  if (fragments == 0) return 0x81;
  uint64_t at = message % (uint64_t)fragments;
  return (uint8_t)((at == 0 ? 1 : 0) | (at == (uint64_t)fragments - 1 ? 0x80 : 0));
}

static int writeHeader(uint8_t *to, uint8_t first, uint64_t length, int masked, uint32_t key) {
  uint8_t bit = masked ? 0x80 : 0, *at = to;
  *at++ = first;
  if (length < 126) *at++ = bit | (uint8_t)length;
  else if (length < 65536) *at++ = bit | 126, *at++ = (uint8_t)(length >> 8), *at++ = (uint8_t)length;
  else {
    *at++ = bit | 127;
    for (int i = 7; i >= 0; i--) *at++ = (uint8_t)(length >> (8 * i));
  }
  if (masked) memcpy(at, &key, 4), at += 4;
  return (int)(at - to);
}

static void maskInto(uint8_t *to, const uint8_t *from, size_t length, uint32_t key) {
  for (size_t i = 0; i < length; i++) to[i] = from[i] ^ (uint8_t)(key >> (8 * (i & 3)));
}

/* -- sockets -- */

static void arm(Conn *c) {
  struct epoll_event event = {.events = (c->reading ? EPOLLIN : 0u) | (c->wantsOut ? EPOLLOUT : 0u), .data.ptr = c};
  if (epoll_ctl(epfd, EPOLL_CTL_MOD, c->fd, &event) != 0) fail("epoll: %s", strerror(errno));
}

static void setOut(Conn *c, int wanted) {
  if (c->wantsOut != wanted) c->wantsOut = wanted, arm(c);
}

#ifndef NO_TLS
static SSL_CTX *clientContext, *serverContext;
static ssize_t tlsResult(Conn *c, int result) {
  if (result > 0) return result;
  int why = SSL_get_error(c->ssl, result);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return -1;
  return why == SSL_ERROR_ZERO_RETURN || why == SSL_ERROR_SYSCALL ? 0 : -2;
}
static void createContexts(void) {
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 86400);
  X509_set_pubkey(certificate, key);
  X509_NAME *name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  X509_sign(certificate, key, EVP_sha256());
  serverContext = SSL_CTX_new(TLS_server_method());
  clientContext = SSL_CTX_new(TLS_client_method());
  SSL_CTX_use_certificate(serverContext, certificate);
  SSL_CTX_use_PrivateKey(serverContext, key);
  SSL_CTX_set_num_tickets(serverContext, 0);
  SSL_CTX *both[] = {serverContext, clientContext};
  for (int i = 0; i < 2; i++) {
    SSL_CTX_set_session_cache_mode(both[i], SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(both[i], SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(both[i], SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  }
}
#endif

/* > 0 bytes, 0 end, -1 later, -2 error */
static ssize_t readSome(Conn *c, uint8_t *to, size_t length) {
#ifndef NO_TLS
  if (c->ssl != NULL) return tlsResult(c, SSL_read(c->ssl, to, (int)length));
#endif
  ssize_t got = read(c->fd, to, length);
  return got >= 0 ? got : errno == EAGAIN ? -1 : -2;
}
static ssize_t writeSome(Conn *c, const uint8_t *from, size_t length) {
#ifndef NO_TLS
  if (c->ssl != NULL) return tlsResult(c, SSL_write(c->ssl, from, (int)length));
#endif
  ssize_t put = write(c->fd, from, length);
  return put >= 0 ? put : errno == EAGAIN ? -1 : -2;
}

static Conn *newConn(int fd, int isClient) {
  Conn *c = calloc(1, sizeof *c);
  c->fd = fd, c->isClient = isClient, c->reading = 1, c->id = -1;
  c->head = malloc(HEAD_BYTES);
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(epfd, EPOLL_CTL_ADD, fd, &event);
  return c;
}

static void startTls(Conn *c) {
#ifndef NO_TLS
  c->ssl = SSL_new(c->isClient ? clientContext : serverContext);
  SSL_set_fd(c->ssl, c->fd);
  if (c->isClient) SSL_set_connect_state(c->ssl);
  else SSL_set_accept_state(c->ssl);
#endif
  c->state = TLS_HANDSHAKE;
}

static void closeConn(Conn *c) {
#ifndef NO_TLS
  if (c->ssl != NULL) SSL_free(c->ssl);
#endif
  close(c->fd);
  if (c->peer != NULL) c->peer->peer = NULL;
  free(c->head), free(c->chunk), free(c->small), free(c);
}

static void openClient(int id) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0) fail("socket: %s", strerror(errno));
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)proxyPort)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) fail("connect: %s", strerror(errno));
  Conn *c = newConn(fd, 1);
  c->id = id, clients[id] = c;
  c->state = CONNECTING;
  setOut(c, 1);
}

/* Sends what is in `out`; 1 when all of it has gone. */
static int flushOut(Conn *c) {
  while (c->outDone < c->outLength) {
    ssize_t put = writeSome(c, c->out + c->outDone, c->outLength - c->outDone);
    if (put == -1) {
      setOut(c, 1);
      return 0;
    }
    if (put <= 0) {
      if (mode == SESSIONS || stopping) {
        c->atEnd = 1, c->outDone = c->outLength;
        return 1;
      }
      fail("connection %d was lost while sending", c->id);
    }
    c->outDone += (size_t)put;
  }
  return 1;
}
static int sendBytes(Conn *c, const uint8_t *bytes, size_t length) {
  c->out = bytes, c->outLength = length, c->outDone = 0;
  return flushOut(c);
}

/* -- senders -- */

/* Prepares the next bytes to send; 0 where nothing may be sent now */
static int refill(Conn *c) {
  if (stopping && mode != PONG && mode != SESSIONS && c->frameOffset == 0) return 0;
  if (c->peer == NULL) return 0;
  if (templateCount > 0) {
    if (c->sent - c->peer->received > (uint64_t)templateCount * 20) return c->held = 1, 0;
    c->out = cycle[c->isClient], c->outLength = cycleBytes[c->isClient], c->outDone = 0;
    c->sent += (uint64_t)templateCount, totalSent += (uint64_t)templateCount;
    return 1;
  }
  if (mode == FLOW && count > 0 && c->sent >= count && c->frameOffset == 0) return 0;
  if (mode != STALL && c->frameOffset == 0 && (c->sent - c->peer->received) * frameBytes > WINDOW_BYTES)
    return c->held = 1, 0;
  int masked = c->isClient, headerLength = masked ? 4 : 0;
  headerLength += frameBytes < 126 ? 2 : frameBytes < 65536 ? 4 : 10;
  size_t whole = (size_t)headerLength + frameBytes;
  c->outDone = 0;
  if (frameBytes > PERIOD) {
    /* a frame in pieces of one period: the mask stands the same way at the start of each */
    uint32_t key = masked ? 0x5a17c3e9u : 0;
    if (c->chunk == NULL) {
      c->chunk = malloc(PERIOD + 32);
      maskInto(c->chunk + 32, pattern, PERIOD, key);
      c->small = malloc(PERIOD + 32);
    }
    size_t part = frameBytes - c->frameOffset < PERIOD ? frameBytes - c->frameOffset : PERIOD;
    if (c->frameOffset > 0) c->out = c->chunk + 32, c->outLength = part;
    else {
      uint64_t text = counterText(c->sent);
      int length = writeHeader(c->small, firstByte(c->sent), frameBytes, masked, key);
      maskInto(c->small + length, (uint8_t *)&text, 8, key);
      memcpy(c->small + length + 8, c->chunk + 40, PERIOD - 8);
      c->out = c->small, c->outLength = (size_t)length + part;
    }
    c->frameOffset += part;
    if (c->frameOffset == frameBytes) c->frameOffset = 0, c->sent++, totalSent++;
    return 1;
  }
  size_t frames = mode == PACE || mode == PONG || whole > CHUNK_BYTES ? 1 : CHUNK_BYTES / whole;
  if (mode == SESSIONS) frames = 1;
  if (c->chunk == NULL) {
    c->chunk = malloc(frames * whole);
    for (size_t i = 0; i < frames; i++) {
      uint8_t *at = c->chunk + i * whole;
      uint32_t key = masked ? (uint32_t)random() * 2654435761u : 0;
      writeHeader(at, 0x81, frameBytes, masked, key);
      maskInto(at + headerLength, pattern, frameBytes, key);
    }
  }
  if (count > 0 && mode == FLOW && count - c->sent < frames) frames = (size_t)(count - c->sent);
  for (size_t i = 0; i < frames; i++) {
    uint8_t *at = c->chunk + i * whole, *payload = at + headerLength;
    uint32_t key = 0;
    if (masked) memcpy(&key, payload - 4, 4);
    uint64_t text = counterText(c->sent + i) ^ ((uint64_t)key << 32 | key);
    memcpy(payload, &text, 8);
    if (fragments > 0) *at = firstByte(c->sent + i);
  }
  c->out = c->chunk, c->outLength = frames * whole;
  c->sent += frames, totalSent += frames;
  return 1;
}

/* Sends until the socket, the window or the pace says no */
static void pump(Conn *c) {
  for (int turns = 0; turns < 4; turns++) {
    if (!flushOut(c)) return;
    if (!refill(c)) {
      setOut(c, 0);
      return;
    }
  }
  setOut(c, 1);
}

static Conn *senderOf(Conn *client) { return fromClient ? client : client->peer; }

static void sendOne(Conn *c) {
  if (refill(c)) flushOut(c);
}

static void sendClose(Conn *c) {
  static const uint8_t fromServer[] = {0x88, 2, 3, 0xe8}, fromClientBytes[] = {0x88, 0x82, 0, 0, 0, 0, 3, 0xe8};
  if (c->isClient) sendBytes(c, fromClientBytes, sizeof fromClientBytes);
  else sendBytes(c, fromServer, sizeof fromServer);
}

/* -- receivers -- */

static void messageCame(Conn *c) {
  c->received++, totalReceived++;
  if (mode == PONG || mode == SESSIONS) {
    if (!c->isClient) sendOne(c);
    else if (mode == SESSIONS) {
      c->state = CLOSING;
      sendClose(c);
    } else {
      uint64_t now = nowNs();
      if (sampling && sampleCount < MAX_SAMPLES) samples[sampleCount++] = (uint32_t)((now - c->pingedNs) / 10);
      if (stopping) return;
      c->pingedNs = now;
      sendOne(c);
    }
  }
}

static void closeCame(Conn *c) {
  if (mode != SESSIONS) fail("a close frame came on connection %d", c->id);
  if (c->isClient) return; /* the end follows */
  sendClose(c);
#ifndef NO_TLS
  if (c->ssl != NULL) SSL_shutdown(c->ssl);
#endif
  shutdown(c->fd, SHUT_WR);
  c->state = CLOSING;
}

static void receive(Conn *c, const uint8_t *bytes, size_t length) {
  const uint8_t *end = bytes + length;
  totalBytes += length;
  while (bytes < end || (c->inFrame && c->payloadDone == c->payloadLength)) {
    if (!c->inFrame) {
      const uint8_t *header = bytes;
      size_t have = (size_t)(end - bytes), need = 2;
      if (c->headerHeld > 0 || have < 14) {
        while (bytes < end && c->headerHeld < 14) {
          c->header[c->headerHeld++] = *bytes++;
          need = 2;
          if (c->headerHeld >= 2) {
            int small = c->header[1] & 0x7f;
            need += (small == 127 ? 8u : small == 126 ? 2u : 0u) + ((c->header[1] & 0x80) != 0 ? 4u : 0u);
          }
          if ((size_t)c->headerHeld == need && need >= 2 && c->headerHeld >= 2) break;
        }
        if (c->headerHeld < 2 || (size_t)c->headerHeld < need) return;
        header = c->header;
      }
      int small = header[1] & 0x7f, masked = header[1] >> 7;
      size_t at = 2;
      uint64_t payload = (uint64_t)small;
      if (small == 126) payload = (uint64_t)(header[2] << 8 | header[3]), at = 4;
      else if (small == 127) {
        payload = 0;
        for (int i = 2; i < 10; i++) payload = payload << 8 | header[i];
        at = 10;
      }
      c->key = 0;
      if (masked) memcpy(&c->key, header + at, 4), at += 4;
      if (header == c->header) c->headerHeld = 0;
      else bytes += at;
      c->opcode = header[0] & 15;
      if (masked == c->isClient) fail("a frame on connection %d is %smasked", c->id, masked ? "" : "un");
      if (c->opcode == 8) {
        if (payload != 2) fail("a close frame was altered");
      } else {
        if (header[0] != firstByte(c->received)) fail("a frame's first byte is %02x", header[0]);
        if (payload != lengthOf(c->received)) fail("a frame's length is %llu", (unsigned long long)payload);
      }
      c->payloadLength = payload, c->payloadDone = 0, c->inFrame = 1;
    }
    size_t part = (size_t)(end - bytes);
    if (part > c->payloadLength - c->payloadDone) part = (size_t)(c->payloadLength - c->payloadDone);
    if (c->opcode != 8) check(c, bytes, part, c->payloadDone);
    c->payloadDone += part, bytes += part;
    if (c->payloadDone < c->payloadLength) return;
    c->inFrame = 0;
    if (c->opcode == 8) closeCame(c);
    else messageCame(c);
  }
}

/* -- opening handshake -- */

static void sha1(const uint8_t *bytes, size_t length, uint8_t digest[20]) {
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0}, w[80];
  uint8_t block[256] = {0};
  memcpy(block, bytes, length);
  block[length] = 0x80;
  size_t total = (length + 9 + 63) / 64 * 64;
  for (int i = 0; i < 8; i++) block[total - 1 - (size_t)i] = (uint8_t)((uint64_t)length * 8 >> (8 * i));
  for (size_t start = 0; start < total; start += 64) {
    for (int i = 0; i < 16; i++)
      w[i] = (uint32_t)block[start + (size_t)i * 4] << 24 | (uint32_t)block[start + (size_t)i * 4 + 1] << 16 |
             (uint32_t)block[start + (size_t)i * 4 + 2] << 8 | block[start + (size_t)i * 4 + 3];
    for (int i = 16; i < 80; i++) w[i] = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], w[i] = w[i] << 1 | w[i] >> 31;
    uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
    for (int i = 0; i < 80; i++) {
      uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
      uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
      uint32_t t = (a << 5 | a >> 27) + f + e + k + w[i];
      e = d, d = c, c = b << 30 | b >> 2, b = a, a = t;
    }
    h[0] += a, h[1] += b, h[2] += c, h[3] += d, h[4] += e;
  }
  for (int i = 0; i < 20; i++) digest[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

static void acceptOf(const char *key, size_t length, char out[29]) {
  static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  uint8_t text[128], digest[21] = {0};
  if (length > 60) fail("a Sec-WebSocket-Key is too long");
  memcpy(text, key, length);
  memcpy(text + length, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
  sha1(text, length + 36, digest);
  for (int i = 0, o = 0; i < 21; i += 3) {
    uint32_t three = (uint32_t)digest[i] << 16 | (uint32_t)digest[i + 1] << 8 | digest[i + 2];
    for (int j = 18; j >= 0; j -= 6) out[o++] = set[three >> j & 63];
  }
  out[27] = '=', out[28] = 0;
}

static void becomeOpen(Conn *c) {
  c->state = OPEN;
  opened++;
  if (mode == STALL && c->isClient != fromClient) c->reading = 0, arm(c);
}

/* Both sides are open, in whatever order: some proxies answer the client first */
static void startLoad(Conn *client) {
  if (client->state != OPEN || client->peer == NULL || client->peer->state != OPEN) return;
  if (mode == PONG || mode == SESSIONS) {
    client->pingedNs = nowNs();
    sendOne(client);
  } else if (mode == FLOW || mode == STALL) pump(senderOf(client));
}

static void sendRequest(Conn *c) {
  char *text = c->head;
  int length = snprintf(text, HEAD_BYTES,
                        "GET /%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s",
                        c->id, originPort,
                        extensions ? "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; "
                                     "server_no_context_takeover\r\n"
                                   : "");
  for (int filled = 0, i = 0; filled < headerBytes; filled += 512, i++) {
    length += snprintf(text + length, HEAD_BYTES - (size_t)length, "X-Fill-%03d: ", i);
    for (int j = 0; j < 498; j++) text[length++] = (char)('a' + (i + j + c->id) % 26);
    text[length++] = '\r', text[length++] = '\n';
  }
  text[length++] = '\r', text[length++] = '\n';
  sendBytes(c, (uint8_t *)text, (size_t)length);
  if (c->outDone < c->outLength) fail("a request did not fit the socket");
  c->headLength = 0, c->state = HEAD;
}

static void nextStep(Conn *c) {
  if (c->state == CONNECTING) {
    setOut(c, 0);
    if (tunnel) {
      int length = snprintf(c->head, HEAD_BYTES, "CONNECT 127.0.0.1:%d HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", originPort,
                            originPort);
      sendBytes(c, (uint8_t *)c->head, (size_t)length);
      c->headLength = 0, c->state = TUNNEL;
      return;
    }
  }
  if (tls && c->ssl == NULL) startTls(c);
  else if (c->isClient) sendRequest(c);
  else c->state = HEAD;
}

static void tlsStep(Conn *c) {
#ifndef NO_TLS
  int done = SSL_do_handshake(c->ssl);
  if (done == 1) {
    setOut(c, 0);
    if (c->isClient) sendRequest(c);
    else c->state = HEAD;
    return;
  }
  int why = SSL_get_error(c->ssl, done);
  if (why == SSL_ERROR_WANT_WRITE) setOut(c, 1);
  else if (why != SSL_ERROR_WANT_READ) fail("a TLS handshake failed on the %s side", c->isClient ? "client" : "server");
#else
  (void)c;
#endif
}

static void headCame(Conn *c, const char *rest, size_t restLength) {
  if (c->state == TUNNEL) {
    if (strncmp(c->head, "HTTP/1.1 200", 12) != 0) fail("CONNECT was answered with %.12s", c->head);
    if (tls) {
      startTls(c);
      tlsStep(c);
    } else sendRequest(c);
    return;
  }
  if (c->isClient) {
    if (strncmp(c->head, "HTTP/1.1 101", 12) != 0) fail("the handshake was answered with %.12s", c->head);
    if (extensions && strstr(c->head, "permessage-deflate") == NULL) fail("the extension was not negotiated");
    becomeOpen(c);
    startLoad(c);
  } else {
    char accept[29];
    char *key = strcasestr(c->head, "sec-websocket-key:");
    if (key == NULL) fail("a request has no Sec-WebSocket-Key");
    for (key += 18; *key == ' ';) key++;
    acceptOf(key, strcspn(key, "\r "), accept);
    c->id = atoi(c->head + 5);
    if (c->id < 0 || c->id >= connections || clients[c->id] == NULL) fail("a request for an unknown connection");
    c->peer = clients[c->id], clients[c->id]->peer = c;
    int deflate = extensions && strcasestr(c->head, "permessage-deflate") != NULL;
    static char answer[512];
    int length = snprintf(answer, sizeof answer,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Accept: %s\r\n%s\r\n",
                          accept,
                          deflate ? "Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; "
                                    "server_no_context_takeover\r\n"
                                  : "");
    sendBytes(c, (uint8_t *)answer, (size_t)length);
    becomeOpen(c);
    startLoad(c->peer);
  }
  if (restLength > 0) receive(c, (const uint8_t *)rest, restLength);
}

static void readHead(Conn *c) {
  ssize_t got = readSome(c, (uint8_t *)c->head + c->headLength, (size_t)(HEAD_BYTES - 1 - c->headLength));
  if (got == -1) return;
  if (got <= 0) {
    if (stopping) {
      c->atEnd = 1;
      return;
    }
    fail("connection %d ended in the handshake (%s side)", c->id, c->isClient ? "client" : "server");
  }
  c->headLength += (int)got;
  c->head[c->headLength] = 0;
  char *end = strstr(c->head, "\r\n\r\n");
  if (end == NULL) return;
  size_t rest = (size_t)(c->head + c->headLength - (end + 4));
  if (rest == 0) {
    headCame(c, NULL, 0);
    return;
  }
  char *copy = malloc(rest);
  memcpy(copy, end + 4, rest);
  headCame(c, copy, rest);
  free(copy);
}

static void sessionEnded(Conn *c) {
  if (!c->isClient) {
    closeConn(c);
    return;
  }
  if (c->state != CLOSING || c->received != 1) fail("a session ended before its closing handshake");
  int id = c->id;
  finished++;
  closeConn(c);
  clients[id] = NULL;
  if (!stopping && (count == 0 || finished + (uint64_t)connections <= count)) openClient(id);
  else closedCount++;
}

static void readOpen(Conn *c) {
  for (int turns = 0; turns < 16; turns++) {
    ssize_t got = readSome(c, readArea, READ_BYTES);
    if (got == -1) break;
    if (got <= 0) {
      c->atEnd = 1;
      break;
    }
    receive(c, readArea, (size_t)got);
    if (c->ssl == NULL) break;
  }
  Conn *sender = c->peer;
  if (sender != NULL && sender->held && (sender->sent - c->received) * (templateCount > 0 ? 100 : frameBytes) < WINDOW_BYTES / 2 &&
      mode != PACE) {
    sender->held = 0;
    pump(sender);
  }
}

static void handle(Conn *c, uint32_t events) {
  if (c->state == CONNECTING) {
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) fail("connect: %s", strerror(error));
    nextStep(c);
    if (c->state == TLS_HANDSHAKE) tlsStep(c);
    return;
  }
  if (c->state == TLS_HANDSHAKE) {
    tlsStep(c);
    if (c->state != HEAD || c->isClient) return;
  }
  if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && (c->reading || (events & EPOLLIN) == 0)) {
    if (c->state == TUNNEL || c->state == HEAD) readHead(c);
    else readOpen(c);
  }
  if ((events & EPOLLOUT) != 0 && !c->atEnd) {
    if (c->state == OPEN && (mode == FLOW || mode == STALL) && c->isClient == fromClient) pump(c);
    else if (flushOut(c)) setOut(c, 0);
  }
  if (!c->atEnd) return;
  if (mode == SESSIONS) sessionEnded(c);
  else if (stopping && mode != FLOW && mode != STALL) closeConn(c);
  else fail("connection %d was lost (%s side)", c->id, c->isClient ? "client" : "server");
}

static void acceptAll(void) {
  for (;;) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (fd < 0) return;
    Conn *c = newConn(fd, 0);
    c->state = HEAD;
    if (tls) startTls(c);
  }
}

static void turn(int timeoutMs) {
  static struct epoll_event events[512];
  int ready = epoll_wait(epfd, events, 512, timeoutMs);
  for (int i = 0; i < ready; i++) {
    if (events[i].data.ptr == NULL) acceptAll();
    else handle(events[i].data.ptr, events[i].events);
  }
}

static void paceAll(uint64_t startNs) {
  uint64_t due = (uint64_t)((double)(nowNs() - startNs) / 1e9 * (double)rate);
  for (int i = 0; i < connections; i++) {
    Conn *c = senderOf(clients[i]);
    if (c == NULL) continue;
    while (c->sent < due && !stopping && flushOut(c)) {
      if (!refill(c)) break;
      flushOut(c);
    }
  }
}

static int bySize(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void loadTemplates(const char *path) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) fail("no templates");
  uint32_t length;
  size_t total = 0;
  while (fread(&length, 4, 1, file) == 1) {
    templates = realloc(templates, sizeof *templates * (size_t)(templateCount + 1));
    templateLengths = realloc(templateLengths, sizeof *templateLengths * (size_t)(templateCount + 1));
    templates[templateCount] = malloc(length);
    templateLengths[templateCount] = length;
    if (fread(templates[templateCount], 1, length, file) != length) fail("templates are cut");
    templateCount++, total += length + 14;
  }
  fclose(file);
  for (int masked = 0; masked < 2; masked++) {
    uint8_t *at = cycle[masked] = malloc(total);
    for (int i = 0; i < templateCount; i++) {
      uint32_t key = masked ? (uint32_t)random() * 2654435761u : 0;
      at += writeHeader(at, 0xc1, templateLengths[i], masked, key);
      maskInto(at, templates[i], templateLengths[i], key);
      at += templateLengths[i];
    }
    cycleBytes[masked] = (size_t)(at - cycle[masked]);
  }
}

static void begin(void) {
  signal(SIGPIPE, SIG_IGN);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  for (int i = 0; i < 4096; i++) digits[i] = (uint16_t)(('0' + (i & 63)) | ('0' + (i >> 6)) << 8);
  pattern = malloc(PERIOD);
  for (int i = 0; i < PERIOD; i++) pattern[i] = (uint8_t)(' ' + (i * 31 + (i >> 7) * 7 + (i >> 13)) % 95);
  readArea = malloc(READ_BYTES);
  clients = calloc((size_t)connections, sizeof *clients);
  epfd = epoll_create1(0);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  int one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)originPort)};
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(listener, (struct sockaddr *)&at, sizeof at) != 0) fail("bind: %s", strerror(errno));
  listen(listener, 4096);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(epfd, EPOLL_CTL_ADD, listener, &event);
}

static uint64_t received(void) { return mode == SESSIONS ? finished : totalReceived; }

static void openAll(void) {
  int next = 0;
  uint64_t deadline = nowNs() + 120000000000ull;
  while (opened < (uint64_t)connections * 2) {
    /* so many handshakes at a time: the listeners' queues are short */
    while (next < connections && (uint64_t)next * 2 < opened + 64) openClient(next++);
    turn(100);
    if (nowNs() > deadline) fail("%llu of %d sessions opened", (unsigned long long)opened / 2, connections);
    if (mode == SESSIONS && next == connections) return;
  }
}

static void stalls(void) {
  uint64_t before = 0, since = nowNs();
  for (;;) {
    turn(50);
    uint64_t moved = 0;
    for (int i = 0; i < connections; i++) {
      Conn *c = senderOf(clients[i]);
      moved += c->sent * 0x10000 + c->outDone;
    }
    if (moved != before) before = moved, since = nowNs();
    else if (nowNs() - since > 1500000000ull) break;
    if (totalSent * frameBytes > (uint64_t)connections * (256u << 20)) fail("256 MiB a connection went into a peer that does not read");
  }
  stopping = 1;
  printf("{\"event\":\"stalled\",\"bytes\":%llu}\n", (unsigned long long)(totalSent * frameBytes));
  fflush(stdout);
  char line[16];
  if (read(0, line, sizeof line) <= 0) _exit(0);
  for (int i = 0; i < connections; i++) {
    Conn *receiver = fromClient ? clients[i]->peer : clients[i];
    receiver->reading = 1;
    arm(receiver);
  }
}

int main(int argc, char **argv) {
  static const char *const modes[] = {"flow", "pace", "pong", "sessions", "idle", "stall"};
  const char *templatePath = NULL;
  for (int i = 0; i < 6; i++)
    if (argc > 1 && strcmp(argv[1], modes[i]) == 0) mode = (Mode)i;
  for (int i = 2; i + 1 < argc; i += 2) {
    const char *name = argv[i] + 2, *value = argv[i + 1];
    if (strcmp(name, "direction") == 0) fromClient = strcmp(value, "client-to-server") == 0;
    else if (strcmp(name, "connections") == 0) connections = atoi(value);
    else if (strcmp(name, "size") == 0) frameBytes = strtoull(value, NULL, 10);
    else if (strcmp(name, "count") == 0) count = strtoull(value, NULL, 10);
    else if (strcmp(name, "rate") == 0) rate = strtoull(value, NULL, 10);
    else if (strcmp(name, "fragments") == 0) fragments = atoi(value);
    else if (strcmp(name, "header-bytes") == 0) headerBytes = atoi(value);
    else if (strcmp(name, "tunnel") == 0) tunnel = atoi(value);
    else if (strcmp(name, "tls") == 0) tls = atoi(value);
    else if (strcmp(name, "origin-port") == 0) originPort = atoi(value);
    else if (strcmp(name, "proxy-port") == 0) proxyPort = atoi(value);
    else if (strcmp(name, "proxy-pid") == 0) proxyPid = atoi(value);
    else if (strcmp(name, "warmup-ms") == 0) warmupMs = atof(value);
    else if (strcmp(name, "measure-ms") == 0) measureMs = atof(value);
    else if (strcmp(name, "templates") == 0) templatePath = value, extensions = 1;
    else fail("unknown option %s", argv[i]);
  }
  begin();
  if (templatePath != NULL) loadTemplates(templatePath);
#ifndef NO_TLS
  if (tls) createContexts();
#else
  if (tls) fail("built without OpenSSL");
#endif
  samples = malloc(MAX_SAMPLES * sizeof *samples);
  openAll();
  if (mode == IDLE) {
    printf("{\"event\":\"open\",\"sessions\":%d}\n", connections);
    fflush(stdout);
    char byte;
    while (read(0, &byte, 1) > 0) continue;
    return 0;
  }
  if (mode == STALL) stalls();
  uint64_t start = nowNs(), fromNs = start, untilNs = start;
  uint64_t messages = 0, bytes = 0;
  double cpu = 0, own = 0;
  if (mode != STALL) {
    uint64_t measureFrom = start + (uint64_t)(warmupMs * 1e6), measureTo = measureFrom + (uint64_t)(measureMs * 1e6);
    int counted = count > 0;
    if (counted) measureFrom = start, measureTo = start + 3600000000000ull;
    for (;;) {
      turn(mode == PACE ? 1 : 20);
      if (mode == PACE) paceAll(start);
      uint64_t now = nowNs();
      if (!sampling && now >= measureFrom) {
        sampling = 1;
        fromNs = now, messages = received(), bytes = totalBytes, cpu = proxyCpuUs(), own = ownCpuUs();
        if (counted) fromNs = start, messages = 0, bytes = 0;
      }
      if (now >= measureTo) break;
      if (counted && mode == SESSIONS && finished >= count) break;
      if (counted && mode == SESSIONS && closedCount == connections) break;
      if (counted && mode == FLOW && totalReceived >= count * (uint64_t)connections) break;
      if (counted && mode == PONG && totalReceived >= count) break;
    }
    untilNs = nowNs();
    messages = received() - messages, bytes = totalBytes - bytes, cpu = proxyCpuUs() - cpu, own = ownCpuUs() - own;
    sampling = 0;
  }
  stopping = 1;
  /* everything that was sent has to arrive */
  uint64_t deadline = nowNs() + 30000000000ull;
  for (;;) {
    int waiting = 0;
    for (int i = 0; i < connections; i++) {
      Conn *c = clients[i];
      if (mode == SESSIONS) waiting += c != NULL;
      else if (mode == PONG) waiting += c->sent != c->received;
      else {
        Conn *sender = senderOf(c), *receiver = sender->peer;
        waiting += sender->sent != receiver->received || sender->frameOffset != 0;
      }
    }
    if (waiting == 0) break;
    turn(20);
    if (nowNs() > deadline) fail("%d connections did not get everything", waiting);
  }
  qsort(samples, sampleCount, sizeof *samples, bySize);
  double seconds = (double)(untilNs - fromNs) / 1e9;
#define QUANTILE(q) (sampleCount == 0 ? 0.0 : samples[(size_t)((double)(sampleCount - 1) * (q))] / 100.0)
  printf("{\"event\":\"done\",\"messages\":%llu,\"bytes\":%llu,\"seconds\":%.6f,\"proxyCpuUs\":%.1f,\"generatorCpuUs\":%.1f,"
         "\"sent\":%llu,\"received\":%llu,\"latencyUs\":{\"median\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"max\":%.2f}}\n",
         (unsigned long long)messages, (unsigned long long)bytes, seconds, cpu, own, (unsigned long long)totalSent,
         (unsigned long long)totalReceived, QUANTILE(.5), QUANTILE(.9), QUANTILE(.99), QUANTILE(1));
  return 0;
}
