/*
 * addon_socket.cc - sockets made inside a namespace, one call a function, each answering a step.
 *
 * All sockets are non-blocking: poll() waits. Only integer options can be set, so that no caller
 * can hand the kernel a wild pointer.
 */
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "marshal.h"

extern "C" {
#include "address.h"
#include "attempt.h"
}

namespace odst {
namespace {

const odst_kernel *kernel = &odst_host_kernel;

int Number(const Napi::Value &value) {
  if (!value.IsNumber()) throw Napi::TypeError::New(value.Env(), "expected a number");
  return value.As<Napi::Number>().Int32Value();
}

/* openSocket(family, 'tcp' | 'udp' | 'mptcp', netns?) -> {fd, steps} */
Napi::Value OpenSocket(const Napi::CallbackInfo &info) {
  int domain = ToFamily(info[0]) == 4 ? AF_INET : AF_INET6;
  bool mptcp = info[1].IsString() && info[1].As<Napi::String>().Utf8Value() == "mptcp";
  int type = !mptcp && ToProtocol(info[1]) == ODST_UDP ? SOCK_DGRAM : SOCK_STREAM;
  odst_attempt attempt = {};
  long fd = -1;
  InNamespace(info[2], &attempt, [&] {
    fd = kernel->socket(kernel, domain, type | SOCK_NONBLOCK, mptcp ? ODST_MPTCP : 0);
    odst_record(&attempt, "socket", domain == AF_INET ? "AF_INET" : "AF_INET6", fd < 0 ? fd : 0);
  });
  Napi::Object answer = Napi::Object::New(info.Env());
  answer.Set("fd", fd < 0 ? info.Env().Null() : Napi::Number::New(info.Env(), static_cast<double>(fd)));
  answer.Set("steps", FromSteps(info.Env(), attempt));
  return answer;
}

Napi::Value Close(const Napi::CallbackInfo &info) {
  return CallStep(info.Env(), "close", "fd", kernel->close(kernel, ToDescriptor(info[0])));
}

uint8_t FamilyOf(int fd) {
  odst_sockaddr name = {};
  size_t length = sizeof name;
  if (kernel->getsockname(kernel, fd, &name, &length) < 0) return 0;
  return odst_sockaddr_family(&name);
}

size_t WriteAddress(int fd, const Napi::Value &value, odst_sockaddr *address) {
  odst_endpoint endpoint = ToEndpoint(value);
  uint8_t family = FamilyOf(fd);
  return odst_endpoint_write(&endpoint, family == 0 ? endpoint.family : family, address);
}

Napi::Value Bind(const Napi::CallbackInfo &info) {
  int fd = ToDescriptor(info[0]);
  odst_sockaddr address;
  size_t length = WriteAddress(fd, info[1], &address);
  return CallStep(info.Env(), "bind", "address", kernel->bind(kernel, fd, &address, length));
}

Napi::Value Connect(const Napi::CallbackInfo &info) {
  int fd = ToDescriptor(info[0]);
  odst_sockaddr address;
  size_t length = WriteAddress(fd, info[1], &address);
  return CallStep(info.Env(), "connect", "address", kernel->connect(kernel, fd, &address, length));
}

Napi::Value Listen(const Napi::CallbackInfo &info) {
  return CallStep(info.Env(), "listen", "fd",
                  kernel->listen(kernel, ToDescriptor(info[0]), Number(info[1])));
}

/* accept(fd) -> step whose result is the accepted descriptor */
Napi::Value Accept(const Napi::CallbackInfo &info) {
  odst_sockaddr address;
  size_t length = sizeof address;
  return CallStep(info.Env(), "accept", "fd",
                  kernel->accept(kernel, ToDescriptor(info[0]), &address, &length));
}

/* setOption(fd, level, name, value) */
Napi::Value SetOption(const Napi::CallbackInfo &info) {
  int value = Number(info[3]);
  return CallStep(info.Env(), "setsockopt", "option",
                  kernel->setsockopt(kernel, ToDescriptor(info[0]), Number(info[1]),
                                     Number(info[2]), &value, sizeof value));
}

/* getOption(fd, level, name) -> step whose result is the value */
Napi::Value GetOption(const Napi::CallbackInfo &info) {
  int value = 0;
  size_t length = sizeof value;
  long answer = kernel->getsockopt(kernel, ToDescriptor(info[0]), Number(info[1]),
                                   Number(info[2]), &value, &length);
  return CallStep(info.Env(), "getsockopt", "option", answer < 0 ? answer : value);
}

/* send(fd, bytes, to?) -> step whose result is the number of bytes taken */
Napi::Value Send(const Napi::CallbackInfo &info) {
  int fd = ToDescriptor(info[0]);
  if (!info[1].IsTypedArray())
    throw Napi::TypeError::New(info.Env(), "send(fd, bytes, to?)");
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  odst_sockaddr address;
  size_t length = info[2].IsObject() ? WriteAddress(fd, info[2], &address) : 0;
  long answer = kernel->sendto(kernel, fd, bytes.Data(), bytes.ByteLength(), MSG_NOSIGNAL,
                               length == 0 ? nullptr : &address, length);
  return CallStep(info.Env(), "send", "fd", answer);
}

/* receive(fd, size) -> {step, bytes: Buffer | null, from, original}: original is the control
 * message of IP_RECVORIGDSTADDR, the destination as the socket's host saw it after NAT */
Napi::Value Receive(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int size = Number(info[1]);
  if (size < 0 || size > 1 << 20) throw Napi::RangeError::New(env, "at most 1 MiB at once");
  std::vector<unsigned char> bytes(static_cast<size_t>(size));
  odst_sockaddr from = {};
  alignas(cmsghdr) unsigned char control[512];
  iovec part = {bytes.data(), bytes.size()};
  msghdr header = {};
  header.msg_name = &from;
  header.msg_namelen = sizeof from;
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  long answer = kernel->recvmsg(kernel, ToDescriptor(info[0]), &header, 0);
  Napi::Object object = Napi::Object::New(env);
  object.Set("step", CallStep(env, "recvmsg", "fd", answer));
  object.Set("bytes", answer < 0 ? env.Null()
                                 : Napi::Value(Napi::Buffer<unsigned char>::Copy(
                                       env, bytes.data(), static_cast<size_t>(answer))));
  odst_endpoint sender = {};
  if (answer >= 0) odst_endpoint_read(&from, header.msg_namelen, &sender);
  object.Set("from", FromEndpoint(env, sender));
  odst_endpoint original = {};
  if (answer >= 0) odst_message_destination(kernel, ToDescriptor(info[0]), &header, &original);
  object.Set("original", FromEndpoint(env, original));
  return object;
}

/* poll([fd...], events, milliseconds) -> the descriptors that are ready (or in error) */
Napi::Value Poll(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (!info[0].IsArray()) throw Napi::TypeError::New(env, "poll(descriptors, events, milliseconds)");
  Napi::Array list = info[0].As<Napi::Array>();
  bool write = info[1].IsString() && info[1].As<Napi::String>().Utf8Value() == "write";
  std::vector<pollfd> watched;
  for (uint32_t at = 0; at < list.Length(); at++)
    watched.push_back({ToDescriptor(list.Get(at)), static_cast<short>(write ? POLLOUT : POLLIN), 0});
  long answer = kernel->poll(kernel, watched.data(), watched.size(), Number(info[2]));
  Napi::Array ready = Napi::Array::New(env);
  for (const pollfd &one : watched)
    if (answer > 0 && one.revents != 0) ready.Set(ready.Length(), one.fd);
  return ready;
}

/* signalWhenReadable(fd, pid) -> {steps}: SIGIO to that process whenever something arrives */
Napi::Value SignalWhenReadable(const Napi::CallbackInfo &info) {
  int fd = ToDescriptor(info[0]);
  int owner = Number(info[1]);
  int on = 1;
  odst_attempt attempt = {};
  long answer = kernel->ioctl(kernel, fd, FIOSETOWN, &owner);
  odst_record(&attempt, "ioctl", "FIOSETOWN", answer);
  if (answer >= 0)
    odst_record(&attempt, "ioctl", "FIOASYNC", kernel->ioctl(kernel, fd, FIOASYNC, &on));
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("steps", FromSteps(info.Env(), attempt));
  return object;
}

}  // namespace

void ExportSockets(Napi::Env env, Napi::Object exports) {
  exports.Set("openSocket", Napi::Function::New(env, OpenSocket, "openSocket"));
  exports.Set("close", Napi::Function::New(env, Close, "close"));
  exports.Set("bind", Napi::Function::New(env, Bind, "bind"));
  exports.Set("connect", Napi::Function::New(env, Connect, "connect"));
  exports.Set("listen", Napi::Function::New(env, Listen, "listen"));
  exports.Set("accept", Napi::Function::New(env, Accept, "accept"));
  exports.Set("setOption", Napi::Function::New(env, SetOption, "setOption"));
  exports.Set("getOption", Napi::Function::New(env, GetOption, "getOption"));
  exports.Set("send", Napi::Function::New(env, Send, "send"));
  exports.Set("receive", Napi::Function::New(env, Receive, "receive"));
  exports.Set("signalWhenReadable",
              Napi::Function::New(env, SignalWhenReadable, "signalWhenReadable"));
  exports.Set("poll", Napi::Function::New(env, Poll, "poll"));
}

}  // namespace odst
