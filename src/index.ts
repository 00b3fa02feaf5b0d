/**
 * origdst as a library: what this host supports, and where a connection was meant to go.
 * Every answer carries the evidence that it was drawn from.
 */

export { catalogue } from '../platforms/index.ts';
export { type Diagnosis, examine, type Problem, type Request } from './diagnosis/doctor.ts';
export { formatEndpoint, parseEndpoint } from './endpoint.ts';
export type { HostFacts } from './host/context.ts';
export type { Evidence, LookupResult } from './inquiry.ts';
export { type FlowEventOptions, type FlowOptions, flowEvents, flows } from './library/flows.ts';
export {
  lookupMany,
  OriginalDestinationError,
  OriginalDestinations,
  originalDestination,
} from './library/original-destination.ts';
export { type LookupRequest, lookup } from './lookup.ts';
export { type CapabilityReport, type CapabilityRow, survey } from './matrix.ts';
export type { Mechanism } from './mechanism.ts';
export { loadNative, type Native, NativeMissing, requireNative } from './native.ts';
export { spoofConnect } from './spoof/attempt.ts';
export type { SpoofReport } from './spoof/report.ts';
export type { SpoofRequest } from './spoof/request.ts';
export type { Flow, FlowPlace } from './table/flow.ts';
export type { News } from './table/follow.ts';
export type * from './verdict.ts';
