/*
 * addon_host.cc - sockets of the host, descriptors of other processes, namespaces.
 */
#include "marshal.h"

extern "C" {
#include "address.h"
#include "attempt.h"
}

#include <sys/socket.h>

/* NetBSD has no SO_PROTOCOL, nor the MPTCP that it is asked for: SO_TYPE is never ODST_MPTCP. */
#ifndef SO_PROTOCOL
#define SO_PROTOCOL SO_TYPE
#endif

namespace odst {
namespace {

struct Collected {
  Napi::Env env;
  Napi::Array rows;
};

void Collect(void *context, const odst_socket *socket) {
  Collected *collected = static_cast<Collected *>(context);
  Napi::Env env = collected->env;
  Napi::Object row = Napi::Object::New(env);
  row.Set("family", socket->family);
  row.Set("protocol", socket->protocol == ODST_UDP ? "udp" : "tcp");
  row.Set("state", socket->state);
  row.Set("transparent", socket->transparent);
  row.Set("opened", socket->opened);
  row.Set("uid", socket->uid);
  row.Set("inode", socket->inode);
  row.Set("local", FromEndpoint(env, socket->local));
  row.Set("peer", FromEndpoint(env, socket->peer));
  collected->rows.Set(collected->rows.Length(), row);
}

/* sockets(family, protocol, netns?) -> {sockets: [...], steps} */
Napi::Value Sockets(const Napi::CallbackInfo &info) {
  uint8_t family = ToFamily(info[0]);
  uint16_t protocol = ToProtocol(info[1]);
  odst_attempt attempt = {};
  Collected collected = {info.Env(), Napi::Array::New(info.Env())};
  InNamespace(info[2], &attempt, [&] {
    odst_visit_sockets(&odst_host_kernel, family, static_cast<uint8_t>(protocol), Collect,
                       &collected, &attempt);
  });
  Napi::Object answer = Napi::Object::New(info.Env());
  answer.Set("sockets", collected.rows);
  answer.Set("steps", FromSteps(info.Env(), attempt));
  return answer;
}

void CollectTracked(void *context, const odst_tracked *tracked) {
  Collected *collected = static_cast<Collected *>(context);
  Napi::Env env = collected->env;
  Napi::Object row = Napi::Object::New(env);
  row.Set("local", FromEndpoint(env, tracked->local));
  row.Set("peer", FromEndpoint(env, tracked->peer));
  row.Set("original", FromEndpoint(env, tracked->original));
  row.Set("zone", tracked->zone);
  collected->rows.Set(collected->rows.Length(), row);
}

/* tracked(family, protocol, localPort, netns?) -> {flows: [...], steps} */
Napi::Value Tracked(const Napi::CallbackInfo &info) {
  uint8_t family = ToFamily(info[0]);
  uint16_t protocol = ToProtocol(info[1]);
  int port = ToDescriptor(info[2]);
  odst_attempt attempt = {};
  Collected collected = {info.Env(), Napi::Array::New(info.Env())};
  InNamespace(info[3], &attempt, [&] {
    odst_visit_tracked(&odst_host_kernel, family, static_cast<uint8_t>(protocol),
                       static_cast<uint16_t>(port), CollectTracked, &collected, &attempt);
  });
  Napi::Object answer = Napi::Object::New(info.Env());
  answer.Set("flows", collected.rows);
  answer.Set("steps", FromSteps(info.Env(), attempt));
  return answer;
}

Napi::Object FromDescriptor(Napi::Env env, long fd, const odst_attempt &attempt) {
  Napi::Object answer = Napi::Object::New(env);
  answer.Set("fd", fd < 0 ? env.Null() : Napi::Number::New(env, static_cast<double>(fd)));
  answer.Set("steps", FromSteps(env, attempt));
  return answer;
}

/* takeDescriptor(pid, fd) -> {fd: number | null, steps}; the caller closes it */
Napi::Value TakeDescriptor(const Napi::CallbackInfo &info) {
  odst_attempt attempt = {};
  long fd = odst_take_descriptor(&odst_host_kernel, ToDescriptor(info[0]), ToDescriptor(info[1]),
                                 &attempt);
  return FromDescriptor(info.Env(), fd, attempt);
}

/* socketNamespace(fd) -> {fd: number | null, steps}; the caller closes it */
Napi::Value SocketNamespace(const Napi::CallbackInfo &info) {
  odst_attempt attempt = {};
  long fd = odst_socket_namespace(&odst_host_kernel, ToDescriptor(info[0]), &attempt);
  return FromDescriptor(info.Env(), fd, attempt);
}

/* newNamespace() -> {fd: number | null, steps}; it ends when the last reference is closed */
Napi::Value NewNamespace(const Napi::CallbackInfo &info) {
  odst_attempt attempt = {};
  long fd = odst_new_namespace(&odst_host_kernel, &attempt);
  return FromDescriptor(info.Env(), fd, attempt);
}

/* inNamespace(fd, callback) -> what the synchronous callback returns; throws when it cannot enter */
Napi::Value CallInNamespace(const Napi::CallbackInfo &info) {
  if (!info[1].IsFunction())
    throw Napi::TypeError::New(info.Env(), "inNamespace(fd, callback)");
  Napi::Function callback = info[1].As<Napi::Function>();
  Napi::Value result;
  Napi::Error error;
  bool failed = false;
  odst_attempt attempt = {};
  bool entered = InNamespace(info[0], &attempt, [&] {
    try {
      result = callback.Call({});
    } catch (const Napi::Error &caught) {
      error = caught;
      failed = true;
    }
  });
  if (!entered) {
    const odst_step &step = attempt.steps[attempt.nsteps - 1];
    Napi::Error refused = Napi::Error::New(
        info.Env(), std::string(step.call) + " " + step.target + ": " +
                        (step.error_name == nullptr ? "failed" : step.error_name));
    refused.Set("step", FromStep(info.Env(), step));
    throw refused;
  }
  if (failed) throw error;
  return result;
}

/* tryUserNamespace() -> steps; this process stays as it is */
Napi::Value TryUserNamespace(const Napi::CallbackInfo &info) {
  odst_attempt attempt = {};
  odst_try_user_namespace(&attempt);
  return FromSteps(info.Env(), attempt);
}

/* endWithParent(pid) -> is that process still the parent? */
Napi::Value EndWithParent(const Napi::CallbackInfo &info) {
  odst_attempt attempt = {};
  return Napi::Boolean::New(info.Env(), odst_end_with_parent(ToDescriptor(info[0]), &attempt));
}

/* openCapture(netns?) -> {fd: number | null, steps}; the caller closes it */
Napi::Value OpenCapture(const Napi::CallbackInfo &info) {
  odst_attempt attempt = {};
  long fd = -1;
  InNamespace(info[0], &attempt, [&] { fd = odst_open_capture(&odst_host_kernel, &attempt); });
  return FromDescriptor(info.Env(), fd, attempt);
}

/* readCapture(fd) -> {interface, outgoing, overheard, bytes} of the next packet, null when there is none */
Napi::Value ReadCapture(const Napi::CallbackInfo &info) {
  unsigned char bytes[256]; /* headers, and the few bytes of a proof */
  odst_packet packet;
  long answer = odst_read_capture(&odst_host_kernel, ToDescriptor(info[0]), bytes, sizeof bytes,
                                  &packet);
  if (answer < 0) return info.Env().Null();
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("interface", packet.interface);
  object.Set("outgoing", packet.outgoing);
  object.Set("overheard", packet.overheard);
  object.Set("bytes", Napi::Buffer<unsigned char>::Copy(info.Env(), bytes, packet.length));
  return object;
}

/* cgroupPrograms(fd, hook: 0..3) -> {ids: number[], steps} */
Napi::Value CgroupPrograms(const Napi::CallbackInfo &info) {
  int hook = ToDescriptor(info[1]);
  if (hook > ODST_HOOK_SENDMSG6) throw Napi::RangeError::New(info.Env(), "a hook is from 0 to 3");
  uint32_t ids[64];
  odst_attempt attempt = {};
  long count = odst_cgroup_programs(&odst_host_kernel, ToDescriptor(info[0]),
                                    static_cast<odst_cgroup_hook>(hook), ids, 64, &attempt);
  Napi::Array list = Napi::Array::New(info.Env());
  for (long at = 0; at < count && at < 64; at++) list.Set(static_cast<uint32_t>(at), ids[at]);
  Napi::Object answer = Napi::Object::New(info.Env());
  answer.Set("ids", list);
  answer.Set("steps", FromSteps(info.Env(), attempt));
  return answer;
}

long AskNumber(int fd, int option) {
  int value = 0;
  size_t length = sizeof value;
  long answer = odst_host_kernel.getsockopt(&odst_host_kernel, fd, SOL_SOCKET, option, &value,
                                            &length);
  return answer < 0 ? answer : value;
}

const char *ProtocolName(long type, long protocol) {
  if (type == SOCK_DGRAM) return "udp";
  return protocol == ODST_MPTCP ? "mptcp" : "tcp";
}

/*
 * describe(fd) -> {family: 4 | 6 | null, protocol, listening, local, peer, steps}
 * family null: not an IPv4 or IPv6 stream or datagram socket; the steps say what it is instead.
 */
Napi::Value Describe(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  int fd = ToDescriptor(info[0]);
  const odst_kernel *kernel = &odst_host_kernel;
  odst_attempt attempt = {};
  odst_sockaddr name = {};
  size_t length = sizeof name;
  long answer = kernel->getsockname(kernel, fd, &name, &length);
  odst_step *step = odst_record(&attempt, "getsockname", "fd", answer);
  uint8_t family = answer < 0 ? 0 : odst_sockaddr_family(&name);
  long type = family == 0 ? 0 : AskNumber(fd, SO_TYPE);
  if (answer >= 0 && family == 0) odst_detail(step, "not an IPv4 or IPv6 socket");
  bool known = type == SOCK_STREAM || type == SOCK_DGRAM;
  odst_endpoint local = {}, peer = {};
  if (known) {
    odst_endpoint_read(&name, length, &local);
    length = sizeof name;
    answer = kernel->getpeername(kernel, fd, &name, &length);
    odst_record(&attempt, "getpeername", "fd", answer);
    if (answer >= 0) odst_endpoint_read(&name, length, &peer);
  } else if (family != 0) {
    odst_detail(step, "neither a stream nor a datagram socket");
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("family", known ? Napi::Number::New(env, family) : env.Null());
  object.Set("protocol", ProtocolName(type, AskNumber(fd, SO_PROTOCOL)));
  object.Set("listening", known && AskNumber(fd, SO_ACCEPTCONN) == 1);
  object.Set("local", FromEndpoint(env, local));
  object.Set("peer", FromEndpoint(env, peer));
  object.Set("steps", FromSteps(env, attempt));
  return object;
}

}  // namespace

void ExportHost(Napi::Env env, Napi::Object exports) {
  exports.Set("sockets", Napi::Function::New(env, Sockets, "sockets"));
  exports.Set("tracked", Napi::Function::New(env, Tracked, "tracked"));
  exports.Set("takeDescriptor", Napi::Function::New(env, TakeDescriptor, "takeDescriptor"));
  exports.Set("socketNamespace", Napi::Function::New(env, SocketNamespace, "socketNamespace"));
  exports.Set("newNamespace", Napi::Function::New(env, NewNamespace, "newNamespace"));
  exports.Set("inNamespace", Napi::Function::New(env, CallInNamespace, "inNamespace"));
  exports.Set("tryUserNamespace",
              Napi::Function::New(env, TryUserNamespace, "tryUserNamespace"));
  exports.Set("endWithParent", Napi::Function::New(env, EndWithParent, "endWithParent"));
  exports.Set("openCapture", Napi::Function::New(env, OpenCapture, "openCapture"));
  exports.Set("readCapture", Napi::Function::New(env, ReadCapture, "readCapture"));
  exports.Set("cgroupPrograms", Napi::Function::New(env, CgroupPrograms, "cgroupPrograms"));
  exports.Set("describe", Napi::Function::New(env, Describe, "describe"));
}

}  // namespace odst
