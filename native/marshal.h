/*
 * marshal.h - between JavaScript values and the C structures. No system call, no decision.
 *
 * Shapes: endpoint {address: string, port: number, family: 4 | 6}
 *         step     {call, target, result, errno, errorName, detail}
 */
#ifndef ODST_MARSHAL_H
#define ODST_MARSHAL_H

#include <napi.h>

extern "C" {
#include "host.h"
#include "mechanism.h"
}

namespace odst {

Napi::Value FromEndpoint(Napi::Env env, const odst_endpoint &endpoint);
Napi::Object FromStep(Napi::Env env, const odst_step &step);
Napi::Array FromSteps(Napi::Env env, const odst_attempt &attempt);

/* One recorded call as a step, for the calls that JavaScript makes one by one. */
Napi::Object CallStep(Napi::Env env, const char *call, const char *target, long answer);

/* Each throws a TypeError for a value of another shape. */
odst_endpoint ToEndpoint(const Napi::Value &value);
int ToDescriptor(const Napi::Value &value);
uint16_t ToProtocol(const Napi::Value &value);
uint8_t ToFamily(const Napi::Value &value);

/*
 * Runs `body` with the thread inside the namespace `descriptor` (a number; undefined or null: where it is) and
 * comes back. If it cannot come back, the process ends: it must not act in the wrong namespace.
 * Answers false, with the steps in `attempt`, when the namespace could not be entered.
 */
template <typename Body>
bool InNamespace(const Napi::Value &descriptor, odst_attempt *attempt, Body body) {
  if (!descriptor.IsNumber()) {
    body();
    return true;
  }
  long token = odst_enter_namespace(&odst_host_kernel, ToDescriptor(descriptor), attempt);
  if (token < 0) return false;
  body();
  if (!odst_leave_namespace(&odst_host_kernel, static_cast<int>(token)))
    Napi::Error::Fatal("odst::InNamespace", "the thread could not return to its network namespace");
  return true;
}

void ExportMechanisms(Napi::Env env, Napi::Object exports);
void ExportFlows(Napi::Env env, Napi::Object exports);
void ExportHost(Napi::Env env, Napi::Object exports);
void ExportSockets(Napi::Env env, Napi::Object exports);
void ExportWatch(Napi::Env env, Napi::Object exports);

}  // namespace odst

#endif
