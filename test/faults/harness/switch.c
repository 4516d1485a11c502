/* An Ethernet switch between network interfaces, which is bad on demand: kernels without netem have nothing else.
 *
 *   switch <interface>...        ports 0, 1, ... ; ends with its standard input
 *
 * It reads, a line each:  delay <ms one way>   loss <per mille>   cut <port>   join <port>
 * and answers each with "ok". Frames between the first two ports always pass at once: that is how a test sees the truth. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <time.h>
#include <unistd.h>

enum { PORTS = 16, MOST = 66000, QUEUE = 65536, ADDRESSES = 256 };

struct frame {
  double due;
  int from, size;
  unsigned char *bytes; /* the kernel's virtio header, whose checksum may still be due, then the frame */
};

static int ports, sockets[PORTS], is_cut[PORTS], loss;
static double delay_ms;
static struct frame queue[QUEUE];
static unsigned first, last;
static struct { unsigned char mac[6]; int port; } learned[ADDRESSES];
static int known;

enum { HEADER = 10 }; /* struct virtio_net_hdr */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static int port_of(const unsigned char *mac) {
  for (int i = 0; i < known; i++)
    if (!memcmp(learned[i].mac, mac, 6)) return learned[i].port;
  return -1;
}

static void learn(const unsigned char *mac, int port) {
  for (int i = 0; i < known; i++)
    if (!memcmp(learned[i].mac, mac, 6)) { learned[i].port = port; return; }
  if (known < ADDRESSES) { memcpy(learned[known].mac, mac, 6); learned[known++].port = port; }
}

static void send_to(int port, const struct frame *frame) {
  if (is_cut[port] || is_cut[frame->from]) return;
  if (write(sockets[port], frame->bytes, frame->size) < 0 && errno != ENOBUFS && errno != EAGAIN && errno != ENETDOWN)
    perror("write");
}

static void deliver(const struct frame *frame) {
  int to = port_of(frame->bytes + HEADER);
  if (to >= 0) { if (to != frame->from) send_to(to, frame); return; }
  for (int port = 0; port < ports; port++) if (port != frame->from) send_to(port, frame);
}

static void take(int port) {
  static unsigned char bytes[MOST];
  int size = read(sockets[port], bytes, MOST);
  if (size < HEADER + ETH_HLEN) return;
  learn(bytes + HEADER + 6, port);
  int to = port_of(bytes + HEADER);
  struct frame frame = { 0, port, size, bytes };
  if ((port == 0 && to == 1) || (port == 1 && to == 0)) { deliver(&frame); return; }
  if (rand() % 1000 < loss || last - first == QUEUE) return;
  frame.due = now() + delay_ms;
  frame.bytes = malloc(size);
  memcpy(frame.bytes, bytes, size);
  queue[last++ % QUEUE] = frame;
}

static int obey(void) {
  char line[256], word[16];
  int value;
  int size = read(0, line, sizeof line - 1);
  if (size <= 0) return 0;
  line[size] = 0;
  for (char *at = strtok(line, "\n"); at; at = strtok(NULL, "\n")) {
    if (sscanf(at, "%15s %d", word, &value) != 2) continue;
    if (!strcmp(word, "delay")) delay_ms = value;
    if (!strcmp(word, "loss")) loss = value;
    if (!strcmp(word, "cut") && value >= 0 && value < ports) is_cut[value] = 1;
    if (!strcmp(word, "join") && value >= 0 && value < ports) is_cut[value] = 0;
    puts("ok");
    fflush(stdout);
  }
  return 1;
}

int main(int count, char **names) {
  ports = count - 1;
  if (ports < 2 || ports > PORTS) return 2;
  for (int i = 0; i < ports; i++) {
    int on = 1, room = 8 << 20;
    struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
    address.sll_ifindex = if_nametoindex(names[i + 1]);
    sockets[i] = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));
    if (sockets[i] < 0 || address.sll_ifindex == 0) { perror(names[i + 1]); return 1; }
    setsockopt(sockets[i], SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    if (setsockopt(sockets[i], SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on) ||
        setsockopt(sockets[i], SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on) ||
        bind(sockets[i], (struct sockaddr *)&address, sizeof address)) { perror(names[i + 1]); return 1; }
  }
  puts("ok");
  fflush(stdout);
  for (;;) {
    struct pollfd polled[PORTS + 1];
    for (int i = 0; i < ports; i++) polled[i] = (struct pollfd){ sockets[i], POLLIN, 0 };
    polled[ports] = (struct pollfd){ 0, POLLIN, 0 };
    double wait = first == last ? 1000 : queue[first % QUEUE].due - now();
    poll(polled, ports + 1, wait < 0 ? 0 : (int)wait + 1);
    for (int i = 0; i < ports; i++) if (polled[i].revents & POLLIN) take(i);
    if (polled[ports].revents && !obey()) return 0;
    for (; first != last && queue[first % QUEUE].due <= now(); first++) {
      deliver(&queue[first % QUEUE]);
      free(queue[first % QUEUE].bytes);
    }
  }
}
