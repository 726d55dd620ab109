import type { AnyProtocol, HookResult, OptionalHook } from '../interfaces/protocol.ts';

/**
 * What passes a hook on; undefined while there is no protocol, or it does not have the hook. A protocol that stands in for
 * another has this for a getter of that name, because to have `readConnectionLost` is to opt in to half-close.
 */
export function passedOn(protocol: AnyProtocol | null | undefined, hook: OptionalHook): (() => HookResult) | undefined {
  return protocol?.[hook] && (() => protocol[hook]?.());
}
