/*
 * addon_watch.cc - the packets of one flow. readCapture of addon_host.cc reads what is opened here.
 */
#include "marshal.h"

namespace odst {
namespace {

/* openWatch({protocol, local, peer}, netns?) -> {fd: number | null, steps}; the caller closes it */
Napi::Value OpenWatch(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  if (!info[0].IsObject()) throw Napi::TypeError::New(env, "openWatch({protocol, local, peer})");
  Napi::Object object = info[0].As<Napi::Object>();
  odst_flow flow = {};
  flow.fd = -1;
  flow.protocol = ToProtocol(object.Get("protocol"));
  flow.local = ToEndpoint(object.Get("local"));
  flow.peer = ToEndpoint(object.Get("peer"));
  if (flow.local.family != flow.peer.family)
    throw Napi::TypeError::New(env, "peer and local are of one address family");
  odst_attempt attempt = {};
  long fd = -1;
  InNamespace(info[1], &attempt,
              [&] { fd = odst_open_watch(&odst_host_kernel, &flow, &attempt); });
  Napi::Object answer = Napi::Object::New(env);
  answer.Set("fd", fd < 0 ? env.Null() : Napi::Number::New(env, static_cast<double>(fd)));
  answer.Set("steps", FromSteps(env, attempt));
  return answer;
}

}  // namespace

void ExportWatch(Napi::Env env, Napi::Object exports) {
  exports.Set("openWatch", Napi::Function::New(env, OpenWatch, "openWatch"));
}

}  // namespace odst
