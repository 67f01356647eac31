import { readAssertion } from '../../../shared/tokens/assertion.ts';

function tokenWith(claims: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
}

describe('readAssertion', () => {
  it('reads when the token ends', () => {
    expect(readAssertion(tokenWith({ exp: 1_790_000_000 }))).toEqual({
      endsAtMs: 1_790_000_000_000,
      takesChallenges: false,
    });
  });

  it.each([[['cp1']], [['other', 'cp1']], ['cp1']])('sees in xms_cc %j that the client takes challenges', (xms_cc) => {
    expect(readAssertion(tokenWith({ exp: 1, xms_cc })).takesChallenges).toBe(true);
  });

  it.each([[[]], [['cp10']], ['cp1 cp2'], [null], [{ cp1: true }]])('sees in xms_cc %j that it does not', (xms_cc) => {
    expect(readAssertion(tokenWith({ exp: 1, xms_cc })).takesChallenges).toBe(false);
  });

  it.each(['', 'x', 'a.b.c', tokenWith([]), tokenWith(null), tokenWith({}), tokenWith({ exp: 'never' })])(
    'takes %j for a token that has ended',
    (token) => {
      expect(readAssertion(token)).toEqual({ endsAtMs: 0, takesChallenges: false });
    },
  );
});
