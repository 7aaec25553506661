import type { components, operations } from './schema.gen';

// The words of the contract, by their own names.
type Schemas = components['schemas'];

export type Answer = Schemas['Answer'];
export type Artifact = Schemas['Artifact'];
export type Attempt = Schemas['Attempt'];
export type Check = Schemas['Check'];
export type Inspection = Schemas['Inspection'];
export type InspectRequest = Schemas['InspectRequest'];
export type LogPage = Schemas['LogPage'];
export type Parameter = Schemas['Parameter'];
export type Problem = Schemas['Problem'];
export type ProblemDetails = Schemas['ProblemDetails'];
export type Release = Schemas['Release'];
export type ReleasePage = Schemas['ReleasePage'];
export type ReleaseProposal = Schemas['ReleaseProposal'];
export type ReleaseRequest = Schemas['ReleaseRequest'];
export type ReleaseSummary = Schemas['ReleaseSummary'];
export type RetryRequest = Schemas['RetryRequest'];
export type RunEvent = Schemas['Event'];
export type RunPage = Schemas['RunPage'];
export type RunRecord = Schemas['RunRecord'];
export type RunRequest = Schemas['RunRequest'];
export type RunState = RunRecord['state'];
export type RunSummary = Schemas['RunSummary'];
export type Source = Schemas['Source'];
export type Stale = Schemas['Stale'];
export type StalePage = Schemas['StalePage'];
export type Status = Schemas['Status'];
export type StepRecord = Schemas['StepRecord'];
export type StepState = StepRecord['state'];
export type Waiting = Schemas['Waiting'];
export type Workflow = Schemas['Workflow'];

export type RunFilter = NonNullable<
  operations['listRuns']['parameters']['query']
>;
