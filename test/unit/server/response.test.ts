import { ServiceError } from '../../../shared/errors.ts';
import { errorResponse } from '../../../shared/server/response.ts';
import { CLIENT_REQUEST_ID, REQUEST_ID } from '../../support/builders.ts';

const IDS = { requestId: REQUEST_ID, clientRequestId: CLIENT_REQUEST_ID };
const NOW = new Date('2026-11-23T10:11:12.345Z');

describe('errorAnswer', () => {
  it("has Graph's shape, the date without zone and fraction", () => {
    const response = errorResponse(new ServiceError('InvalidId', 'A message.'), IDS, NOW);

    expect(response.status).toBe(400);
    expect(JSON.parse(response.body)).toEqual({
      error: {
        code: 'InvalidId',
        message: 'A message.',
        innerError: { date: '2026-11-23T10:11:12', 'request-id': REQUEST_ID, 'client-request-id': CLIENT_REQUEST_ID },
      },
    });
  });

  it('says target and details where there are any', () => {
    const details = [{ code: 'Required', message: "'name' is missing.", target: '/AttachmentItem/name' }] as const;

    const response = errorResponse(
      new ServiceError('InvalidAttachment', 'm', { target: '/AttachmentItem/name', details }),
      IDS,
      NOW,
    );

    expect(JSON.parse(response.body)).toMatchObject({ error: { target: '/AttachmentItem/name', details } });
  });

  it('never shows the cause', () => {
    const response = errorResponse(
      new ServiceError('InternalError', 'm', { cause: new Error('Zq7-marker') }),
      IDS,
      NOW,
    );

    expect(JSON.stringify(response)).not.toContain('Zq7-marker');
  });

  it("keeps the error's headers, and its ids are ours whatever Graph sent", () => {
    const headers = { 'retry-after': '7', 'request-id': 'of Graph', 'client-request-id': 'of Graph' };

    const response = errorResponse(new ServiceError('GraphThrottled', 'm', { headers }), IDS, NOW);

    expect(response.headers).toEqual({
      'retry-after': '7',
      'request-id': REQUEST_ID,
      'client-request-id': CLIENT_REQUEST_ID,
    });
  });
});
