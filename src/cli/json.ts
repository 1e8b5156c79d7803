/** JSON for other programs. */

/** JSON with sizes that are bigints written as numbers, and as text where a number would be rounded. */
export function toJson(value: unknown, space?: number): string {
  return JSON.stringify(
    value,
    (_, member: unknown) => {
      if (typeof member !== 'bigint') return member;
      return Number.isSafeInteger(Number(member)) ? Number(member) : member.toString();
    },
    space,
  );
}
