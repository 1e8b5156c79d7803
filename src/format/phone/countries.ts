/**
 * The country codes of Recommendation ITU-T E.164 that are assigned: "List of ITU-T Recommendation E.164 assigned
 * country codes" (https://www.itu.int/pub/T-SP-E.164D), with the amendments of the Operational Bulletin.
 *
 * No code begins with another one (they are a prefix code), so the digits show where a code ends. The list belongs to
 * `phone@1`. A code may be added, because that changes no output of a number that was accepted before. No code is
 * removed or split.
 */

const CODES = [
  // North America and the Caribbean; Russia and Kazakhstan.
  '1 7',
  // Africa; 297 Aruba, 298 Faroe Islands, 299 Greenland.
  '20 27 211 212 213 216 218 220 221 222 223 224 225 226 227 228 229 230 231 232 233 234 235 236 237 238 239 240 241',
  '242 243 244 245 246 247 248 249 250 251 252 253 254 255 256 257 258 260 261 262 263 264 265 266 267 268 269 290 291',
  '297 298 299',
  // Europe; 388 is a shared code for groups of countries.
  '30 31 32 33 34 36 39 350 351 352 353 354 355 356 357 358 359 370 371 372 373 374 375 376 377 378 379 380 381 382 383 385',
  '386 387 388 389 40 41 43 44 45 46 47 48 49 420 421 423',
  // The other Americas.
  '51 52 53 54 55 56 57 58 500 501 502 503 504 505 506 507 508 509 590 591 592 593 594 595 596 597 598 599',
  // South-East Asia and Oceania.
  '60 61 62 63 64 65 66 670 672 673 674 675 676 677 678 679 680 681 682 683 685 686 687 688 689 690 691 692',
  // East Asia; 800 freephone, 808 shared cost, 870 Inmarsat, 878 personal numbers, 881 to 883 satellites and
  // international networks, 888 disaster relief.
  '81 82 84 86 800 808 850 852 853 855 856 870 878 880 881 882 883 886 888',
  // South, West and Central Asia; 979 premium rate, 991 trials.
  '90 91 92 93 94 95 98 960 961 962 963 964 965 966 967 968 970 971 972 973 974 975 976 977 979 991 992 993 994 995',
  '996 998',
];

/** All codes, in the order of their zones. */
export const COUNTRY_CODES: readonly string[] = /* @__PURE__ */ (() => Object.freeze(CODES.join(' ').split(' ')))();

/** 1 at the number of every code. No code begins with 0, so codes of different lengths have different numbers. */
const isCode: Uint8Array = /* @__PURE__ */ (() => {
  const table = new Uint8Array(1000);
  for (const code of COUNTRY_CODES) table[Number(code)] = 1;
  return table;
})();

/** How many of the first three digits of an international number are its country code; 0: no code is assigned there. */
export function countryCodeLength(first: number, second: number, third: number): number {
  if (first === 0) return 0;
  if (isCode[first] === 1) return 1;
  if (isCode[first * 10 + second] === 1) return 2;
  return isCode[first * 100 + second * 10 + third] === 1 ? 3 : 0;
}
