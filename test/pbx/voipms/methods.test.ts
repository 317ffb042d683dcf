import { describe, expect, it } from 'vitest';
import { METHODS, methodNamed } from '../../../src/pbx/voipms/methods.ts';

describe('the catalogue of VoIP.ms methods', () => {
  it('has each method of the WSDL once, and a text for each method and parameter', () => {
    expect(METHODS).toHaveLength(222);
    expect(new Set(METHODS.map(({ name }) => name)).size).toBe(METHODS.length);
    const silent = METHODS.flatMap(({ name, about, params }) => [
      ...(about === '' ? [name] : []),
      ...params.filter((one) => one.about === '').map((one) => `${name}.${one.name}`),
    ]);
    expect(silent).toEqual([]);
  });

  it('has no parameter twice in a method', () => {
    const twice = METHODS.filter(({ params }) => new Set(params.map(({ name }) => name)).size < params.length);
    expect(twice.map(({ name }) => name)).toEqual([]);
  });

  it('counts as a look what begins with get or search, and what only tells of emergency addresses', () => {
    for (const { name, changes } of METHODS) {
      const looks = /^(get|search)/.test(name) || ['e911AddressTypes', 'e911Info', 'e911Validate'].includes(name);
      expect([name, changes]).toEqual([name, !looks]);
    }
  });

  it('knows the id of a filter under its two names', () => {
    const named = (name: string) => methodNamed(name)?.params.map((one) => one.name);
    expect(named('setCallerIDFiltering')).toContain('filter');
    expect(named('setCallerIDFiltering')).not.toContain('filtering');
    expect(named('delCallerIDFiltering')).toEqual(['filtering']);
    expect(methodNamed('getAccounts')).toBeNull();
  });
});
