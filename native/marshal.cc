#include "marshal.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

extern "C" {
#include "attempt.h"
}

namespace odst {

Napi::Value FromEndpoint(Napi::Env env, const odst_endpoint &endpoint) {
  if (endpoint.family == 0) return env.Null();
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(endpoint.family == 4 ? AF_INET : AF_INET6, endpoint.address, text, sizeof text);
  Napi::Object object = Napi::Object::New(env);
  object.Set("address", text);
  object.Set("port", endpoint.port);
  object.Set("family", endpoint.family);
  if (endpoint.scope != 0) object.Set("scope", endpoint.scope);
  return object;
}

Napi::Object FromStep(Napi::Env env, const odst_step &step) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("call", step.call);
  object.Set("target", step.target);
  object.Set("result", static_cast<double>(step.result));
  object.Set("errno", step.error == 0 ? env.Null() : Napi::Number::New(env, step.error));
  object.Set("errorName", step.error_name == nullptr
                              ? env.Null()
                              : Napi::Value(Napi::String::New(env, step.error_name)));
  object.Set("detail", step.detail);
  return object;
}

Napi::Array FromSteps(Napi::Env env, const odst_attempt &attempt) {
  Napi::Array steps = Napi::Array::New(env, attempt.nsteps);
  for (size_t at = 0; at < attempt.nsteps; at++)
    steps.Set(static_cast<uint32_t>(at), FromStep(env, attempt.steps[at]));
  return steps;
}

Napi::Object CallStep(Napi::Env env, const char *call, const char *target, long answer) {
  odst_attempt attempt = {};
  return FromStep(env, *odst_record(&attempt, call, target, answer));
}

static Napi::Error Wrong(Napi::Env env, const char *sentence) {
  return Napi::TypeError::New(env, sentence);
}

odst_endpoint ToEndpoint(const Napi::Value &value) {
  Napi::Env env = value.Env();
  if (!value.IsObject()) throw Wrong(env, "an endpoint is {address, port}");
  Napi::Object object = value.As<Napi::Object>();
  if (!object.Get("address").IsString() || !object.Get("port").IsNumber())
    throw Wrong(env, "an endpoint is {address: string, port: number}");
  std::string address = object.Get("address").As<Napi::String>();
  double port = object.Get("port").As<Napi::Number>().DoubleValue();
  if (!(port >= 0 && port <= 65535)) throw Wrong(env, "a port is from 0 to 65535");
  odst_endpoint endpoint = {};
  endpoint.port = static_cast<uint16_t>(port);
  if (object.Get("scope").IsNumber())
    endpoint.scope = object.Get("scope").As<Napi::Number>().Uint32Value();
  if (inet_pton(AF_INET, address.c_str(), endpoint.address) == 1) endpoint.family = 4;
  else if (inet_pton(AF_INET6, address.c_str(), endpoint.address) == 1) endpoint.family = 6;
  else throw Wrong(env, "not an IPv4 or IPv6 address");
  return endpoint;
}

int ToDescriptor(const Napi::Value &value) {
  if (!value.IsNumber()) throw Wrong(value.Env(), "a descriptor is a number");
  double number = value.As<Napi::Number>().DoubleValue();
  if (!(number >= 0 && number <= 0x7fffffff) || number != static_cast<int>(number))
    throw Wrong(value.Env(), "a descriptor is a whole number, 0 or more");
  return static_cast<int>(number);
}

uint16_t ToProtocol(const Napi::Value &value) {
  if (!value.IsString()) throw Wrong(value.Env(), "a protocol is 'tcp' or 'udp'");
  std::string name = value.As<Napi::String>();
  if (name == "tcp") return ODST_TCP;
  if (name == "udp") return ODST_UDP;
  throw Wrong(value.Env(), "a protocol is 'tcp' or 'udp'");
}

uint8_t ToFamily(const Napi::Value &value) {
  uint32_t family = value.IsNumber() ? value.As<Napi::Number>().Uint32Value() : 0;
  if (family != 4 && family != 6) throw Wrong(value.Env(), "a family is 4 or 6");
  return static_cast<uint8_t>(family);
}

}  // namespace odst
