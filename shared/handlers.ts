import type { AuthenticatedCaller } from './access/caller.ts';
import { attach } from './attach/attach.ts';
import type { Dependencies, RequestContext } from './dependencies.ts';
import { deleteJob } from './jobs/deleteJob.ts';
import { getJob } from './jobs/getJob.ts';
import type { GraphPath } from './paths/target.ts';
import type { GraphOperation, UrlOperation } from './routes.ts';
import type { ResponseData } from './server/response.ts';
import { createUploadSession } from './sessions/createUploadSession.ts';
import { deleteUpload } from './uploads/deleteUpload.ts';
import { getUpload } from './uploads/getUpload.ts';
import { putRange } from './uploads/putRange.ts';

/** Handles a request on a path of Graph's, whose caller is known. It asks the policy before it does anything else. */
type GraphHandler = (
  context: RequestContext,
  caller: AuthenticatedCaller,
  path: GraphPath,
  dependencies: Dependencies,
) => Promise<ResponseData>;

export const GRAPH_HANDLERS: Readonly<Record<GraphOperation, GraphHandler>> = { attach, createUploadSession };

/** Handles a request on a URL that the proxy has given out. @param id the last part of the URL, which is the credential */
type UrlHandler = (context: RequestContext, id: string, dependencies: Dependencies) => Promise<ResponseData>;

export const URL_HANDLERS: Readonly<Record<UrlOperation, UrlHandler>> = {
  getUpload,
  putRange,
  deleteUpload,
  getJob,
  deleteJob,
};
