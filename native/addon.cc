/*
 * addon.cc - the mechanisms as JavaScript functions. Marshals and nothing else.
 */
#include <sys/socket.h>

#include <cstring>

#include "marshal.h"

namespace odst {
namespace {

const odst_mechanism *Find(const Napi::Value &value) {
  if (!value.IsString()) throw Napi::TypeError::New(value.Env(), "a mechanism is a string");
  std::string name = value.As<Napi::String>();
  for (size_t at = 0; odst_mechanisms[at] != nullptr; at++)
    if (name == odst_mechanisms[at]->name) return odst_mechanisms[at];
  throw Napi::TypeError::New(value.Env(), "no backend named " + name + " in this build");
}

odst_flow ToFlow(const Napi::Object &object) {
  odst_flow flow = {};
  flow.fd = object.Get("fd").IsNumber() ? ToDescriptor(object.Get("fd")) : -1;
  flow.protocol = ToProtocol(object.Get("protocol"));
  if (object.Get("peer").IsObject()) flow.peer = ToEndpoint(object.Get("peer"));
  if (object.Get("local").IsObject()) flow.local = ToEndpoint(object.Get("local"));
  if (object.Get("zone").IsNumber()) flow.zone = object.Get("zone").As<Napi::Number>().Int32Value();
  if (object.Get("rdomain").IsNumber())
    flow.rdomain = static_cast<uint16_t>(object.Get("rdomain").As<Napi::Number>().Uint32Value());
  if (object.Get("interface").IsString()) {
    std::string name = object.Get("interface").As<Napi::String>();
    if (name.size() >= sizeof flow.interface)
      throw Napi::TypeError::New(object.Env(), "an interface name has at most 15 characters");
    std::memcpy(flow.interface, name.c_str(), name.size() + 1);
  }
  flow.unsafe = object.Get("unsafe").IsBoolean() && object.Get("unsafe").As<Napi::Boolean>();
  return flow;
}

odst_operation ToOperation(const Napi::Value &value) {
  std::string name = value.IsString() ? value.As<Napi::String>().Utf8Value() : "";
  if (name == "lookup") return ODST_LOOKUP;
  if (name == "accept") return ODST_ACCEPT;
  if (name == "spoof") return ODST_SPOOF;
  throw Napi::TypeError::New(value.Env(), "an operation is 'lookup', 'accept' or 'spoof'");
}

odst_question ToQuestion(const Napi::Value &value) {
  if (!value.IsObject())
    throw Napi::TypeError::New(value.Env(), "a question is {operation, family, protocol}");
  Napi::Object object = value.As<Napi::Object>();
  return {ToOperation(object.Get("operation")), ToFamily(object.Get("family")),
          static_cast<uint8_t>(ToProtocol(object.Get("protocol")))};
}

Napi::Object FromAttempt(Napi::Env env, const odst_attempt &attempt) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("original", attempt.found ? FromEndpoint(env, attempt.original) : env.Null());
  object.Set("steps", FromSteps(env, attempt));
  return object;
}

Napi::Value Mechanisms(const Napi::CallbackInfo &info) {
  Napi::Array list = Napi::Array::New(info.Env());
  for (uint32_t at = 0; odst_mechanisms[at] != nullptr; at++)
    list.Set(at, odst_mechanisms[at]->name);
  return list;
}

/* lookup(name, {fd?, protocol, peer?, local?, zone?, netns?, rdomain?, interface?,
 * unsafe?}) -> {original, flow, steps} */
Napi::Value Lookup(const Napi::CallbackInfo &info) {
  const odst_mechanism *mechanism = Find(info[0]);
  if (mechanism->lookup == nullptr || !info[1].IsObject())
    throw Napi::TypeError::New(info.Env(), "lookup(mechanism, flow)");
  Napi::Object object = info[1].As<Napi::Object>();
  odst_flow flow = ToFlow(object);
  if (flow.fd < 0 && flow.local.family != flow.peer.family)
    throw Napi::TypeError::New(info.Env(), "peer and local are of one address family");
  odst_attempt attempt = {};
  InNamespace(object.Get("netns"), &attempt,
              [&] { mechanism->lookup(&odst_host_kernel, &flow, &attempt); });
  Napi::Object answer = FromAttempt(info.Env(), attempt);
  answer.Set("peer", FromEndpoint(info.Env(), flow.peer));
  answer.Set("local", FromEndpoint(info.Env(), flow.local));
  answer.Set("zone", flow.zone);
  return answer;
}

/* prepare(name, fd, {operation, family, protocol}) -> {original: null, steps} */
Napi::Value Prepare(const Napi::CallbackInfo &info) {
  const odst_mechanism *mechanism = Find(info[0]);
  if (mechanism->prepare == nullptr)
    throw Napi::TypeError::New(info.Env(), "this mechanism prepares no sockets");
  int fd = ToDescriptor(info[1]);
  odst_question question = ToQuestion(info[2]);
  odst_attempt attempt = {};
  mechanism->prepare(&odst_host_kernel, fd, &question, &attempt);
  return FromAttempt(info.Env(), attempt);
}

/* assign(name, fd, {operation, family, protocol}, foreign, target?) -> {original: null, steps} */
Napi::Value Assign(const Napi::CallbackInfo &info) {
  const odst_mechanism *mechanism = Find(info[0]);
  if (mechanism->assign == nullptr)
    throw Napi::TypeError::New(info.Env(), "this mechanism binds to foreign addresses itself");
  int fd = ToDescriptor(info[1]);
  odst_question question = ToQuestion(info[2]);
  odst_endpoint foreign = ToEndpoint(info[3]);
  odst_endpoint target = {};
  if (info[4].IsObject()) target = ToEndpoint(info[4]);
  if (foreign.family != question.family)
    throw Napi::TypeError::New(info.Env(), "the foreign address is of the question's family");
  odst_attempt attempt = {};
  mechanism->assign(&odst_host_kernel, fd, &question, &foreign, &target, &attempt);
  return FromAttempt(info.Env(), attempt);
}

/* probe(name, {operation, family, protocol}) -> {original: null, steps} */
Napi::Value Probe(const Napi::CallbackInfo &info) {
  const odst_mechanism *mechanism = Find(info[0]);
  odst_question question = ToQuestion(info[1]);
  odst_attempt attempt = {};
  mechanism->probe(&odst_host_kernel, &question, &attempt);
  return FromAttempt(info.Env(), attempt);
}

}  // namespace

void ExportMechanisms(Napi::Env env, Napi::Object exports) {
  exports.Set("mechanisms", Napi::Function::New(env, Mechanisms, "mechanisms"));
  exports.Set("lookup", Napi::Function::New(env, Lookup, "lookup"));
  exports.Set("prepare", Napi::Function::New(env, Prepare, "prepare"));
  exports.Set("assign", Napi::Function::New(env, Assign, "assign"));
  exports.Set("probe", Napi::Function::New(env, Probe, "probe"));
}

}  // namespace odst

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("nodeApi", NAPI_VERSION);
  odst::ExportMechanisms(env, exports);
  odst::ExportFlows(env, exports);
  odst::ExportHost(env, exports);
  odst::ExportSockets(env, exports);
  odst::ExportWatch(env, exports);
  return exports;
}

NODE_API_MODULE(origdst, Init)
