import { readRequestInfo } from '../../../shared/server/requestInfo.ts';
import { CLIENT_REQUEST_ID, incomingRequest, invocation, REQUEST_ID } from '../../support/builders.ts';

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TRACE_PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

const read = (headers: Record<string, string>, traceParent?: string) =>
  readRequestInfo(
    incomingRequest({ headers }).headers,
    invocation(traceParent === undefined ? undefined : { traceParent }).context,
  );

describe('readRequestInfo', () => {
  it("takes the platform's invocation id for the request id", () => {
    expect(read({}).requestId).toBe(REQUEST_ID);
  });

  it.each([CLIENT_REQUEST_ID, CLIENT_REQUEST_ID.toUpperCase()])('keeps the client-request-id %s', (id) => {
    expect(read({ 'client-request-id': id }).clientRequestId).toBe(id);
  });

  it.each([
    '',
    'abc',
    `${CLIENT_REQUEST_ID}a`,
    `{${CLIENT_REQUEST_ID}}`,
    `${CLIENT_REQUEST_ID}, ${CLIENT_REQUEST_ID}`,
    CLIENT_REQUEST_ID.replaceAll('-', ''),
  ])('makes a client-request-id instead of %j', (id) => {
    const { clientRequestId } = read({ 'client-request-id': id });

    expect(clientRequestId).toMatch(GUID);
    expect(clientRequestId).not.toBe(id);
  });

  it('makes another client-request-id for each request without one', () => {
    expect(read({}).clientRequestId).not.toBe(read({}).clientRequestId);
  });

  it.each([
    'IdType="ImmutableId"',
    'idtype=immutableid',
    'IdType = "ImmutableId"',
    'respond-async, IdType="ImmutableId"',
    'IdType="ImmutableId", return=minimal',
    'a;IdType="ImmutableId";b',
  ])('sees the wish for immutable ids in %j', (prefer) => {
    expect(read({ prefer }).wantsImmutableIds).toBe(true);
  });

  it.each(['', 'return=minimal', 'IdType="Default"', 'IdType="ImmutableIds"', 'XIdType="ImmutableId"', 'ImmutableId'])(
    'sees none in %j',
    (prefer) => {
      expect(read({ prefer }).wantsImmutableIds).toBe(false);
    },
  );

  it("takes the platform's trace before the caller's", () => {
    const other = TRACE_PARENT.replace('0af7', 'ffff');

    expect(read({ traceparent: TRACE_PARENT }).traceParent).toBe(TRACE_PARENT);
    expect(read({ traceparent: TRACE_PARENT }, other).traceParent).toBe(other);
  });

  it.each(['', 'abc', `${TRACE_PARENT}-00`, TRACE_PARENT.toUpperCase(), ` ${TRACE_PARENT}x`, TRACE_PARENT.slice(3)])(
    'leaves out the traceparent %j',
    (traceparent) => {
      expect(read({ traceparent }).traceParent).toBeUndefined();
    },
  );

  it('keeps the run id of Logic Apps where it is one', () => {
    const read1 = (id: string) => read({ 'x-ms-workflow-run-id': id }).workflowRunId;

    expect(read1('08584772438183567840213434453CU00')).toBe('08584772438183567840213434453CU00');
    expect([read1('a b'), read1('a"b'), read1('a'.repeat(101)), read1('')]).toEqual(Array(4).fill(undefined));
  });
});
