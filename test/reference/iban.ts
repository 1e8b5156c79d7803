/**
 * A second, slow implementation of IBANs: structures in the notation of the registry, remainders in BigInt, and each
 * national rule on text, as its source states it.
 */

/** Country, structure of the account number, and examples: first that of the registry, then some published by banks. */
export const REGISTRY: readonly (readonly [country: string, structure: string, ...examples: string[]])[] = [
  ['AD', '4!n4!n12!c', 'AD1200012030200359100100'],
  ['AE', '3!n16!n', 'AE070331234567890123456'],
  ['AL', '8!n16!c', 'AL47212110090000000235698741', 'AL7620511021812537CLPRCFUSDP', 'AL9220512046016756CLPRCFEURR'],
  ['AT', '5!n11!n', 'AT611904300234573201', 'AT483200000012345864'],
  ['AZ', '4!a20!c', 'AZ21NABZ00000000137010001944'],
  ['BA', '3!n3!n8!n2!n', 'BA391290079401028494', 'BA393385804800211234'],
  ['BE', '3!n7!n2!n', 'BE68539007547034', 'BE62510007547061', 'BE71096123456769', 'BE72000000001616'],
  ['BG', '4!a4!n2!n8!c', 'BG80BNBG96611020345678'],
  ['BH', '4!a14!c', 'BH67BMAG00001299123456'],
  ['BI', '5!n5!n11!n2!n', 'BI4210000100010000332045181'],
  [
    'BR',
    '8!c5!n10!n1!c1!c',
    'BR1800360305000010009795493C1',
    'BR9700360305000010009795493P1',
    'BR1800000000141455123924100C2',
    'BR6699999A03000010009795493C1',
  ],
  ['BY', '4!c4!n16!c', 'BY13NBRB3600900000002Z00AB00', 'BY86AKBB10100000002966000000'],
  ['CH', '5!n12!c', 'CH9300762011623852957', 'CH3900700115201849173'],
  ['CR', '4!n14!n', 'CR05015202001026284066', 'CR23015108410026012345'],
  ['CY', '3!n5!n16!c', 'CY17002001280000001200527600'],
  ['CZ', '4!n6!n10!n', 'CZ6508000000192000145399', 'CZ9455000000001011038930', 'CZ5508000000001234567899'],
  ['DE', '8!n10!n', 'DE89370400440532013000', 'DE75512108001245126199'],
  ['DJ', '5!n5!n11!n2!n', 'DJ2100010000000154000100186', 'DJ2110002010010409943020008'],
  ['DK', '4!n9!n1!n', 'DK5000400440116243', 'DK9520000123456789'],
  ['DO', '4!c20!n', 'DO28BAGR00000001212453611324'],
  ['EE', '2!n14!n', 'EE382200221020145685', 'EE471000001020145685'],
  ['EG', '4!n4!n17!n', 'EG380019000500000000263180002'],
  ['ES', '4!n4!n1!n1!n10!n', 'ES9121000418450200051332', 'ES8023100001180000012345'],
  ['FI', '3!n11!n', 'FI2112345600000785', 'FI5542345670000081', 'FI1410093000123458'],
  ['FK', '2!a12!n', 'FK88SC123456789012'],
  ['FO', '4!n9!n1!n', 'FO6264600001631634', 'FO9264600123456789'],
  ['FR', '5!n5!n11!c2!n', 'FR1420041010050500013M02606', 'FR7630006000011234567890189'],
  ['GB', '4!a6!n8!n', 'GB29NWBK60161331926819', 'GB82WEST12345698765432'],
  ['GE', '2!a16!n', 'GE29NB0000000101904917'],
  ['GI', '4!a15!c', 'GI75NWBK000000007099453'],
  ['GL', '4!n9!n1!n', 'GL8964710001000206', 'GL8964710123456789'],
  ['GR', '3!n4!n16!c', 'GR1601101250000000012300695'],
  ['GT', '4!c20!c', 'GT82TRAJ01020000001210029690'],
  ['HN', '4!a20!n', 'HN88CABF00000000000250005469'],
  ['HR', '7!n10!n', 'HR1210010051863000160', 'HR1723600001101234565'],
  ['HU', '3!n4!n1!n15!n1!n', 'HU42117730161111101800000000', 'HU93116000060000000012345676'],
  ['IE', '4!a6!n8!n', 'IE29AIBK93115212345678', 'IE64IRCE92050112345678'],
  ['IL', '3!n3!n13!n', 'IL620108000000099999999'],
  ['IQ', '4!a3!n12!n', 'IQ98NBIQ850123456789012', 'IQ20CBIQ861800101010500'],
  ['IS', '4!n2!n6!n10!n', 'IS140159260076545510730339'],
  ['IT', '1!a5!n5!n12!c', 'IT60X0542811101000000123456'],
  ['JO', '4!a4!n18!c', 'JO94CBJO0010000000000131000302'],
  ['KW', '4!a22!c', 'KW81CBKU0000000000001234560101'],
  ['KZ', '3!n13!c', 'KZ86125KZT5004100100'],
  ['LB', '4!n20!c', 'LB62099900000001001901229114'],
  ['LC', '4!a24!c', 'LC55HEMM000100010012001200023015', 'LC14BOSL123456789012345678901234'],
  ['LI', '5!n12!c', 'LI21088100002324013AA'],
  ['LT', '5!n11!n', 'LT121000011101001000'],
  ['LU', '3!n13!c', 'LU280019400644750000'],
  ['LV', '4!a13!c', 'LV80BANK0000435195001'],
  ['LY', '3!n3!n15!n', 'LY83002048000020100120361', 'LY38021001000000123456789'],
  ['MC', '5!n5!n11!c2!n', 'MC5811222000010123456789030'],
  ['MD', '2!c18!c', 'MD24AG000225100013104168'],
  ['ME', '3!n13!n2!n', 'ME25505000012345678951'],
  ['MK', '3!n10!c2!n', 'MK07250120000058984'],
  ['MN', '4!n12!n', 'MN121234123456789123'],
  ['MR', '5!n5!n11!n2!n', 'MR1300020001010000123456753'],
  ['MT', '4!a5!n18!c', 'MT84MALT011000012345MTLCAST001S'],
  ['MU', '4!a2!n2!n12!n3!n3!a', 'MU17BOMM0101101030300200000MUR'],
  ['NI', '4!a20!n', 'NI45BAPR00000013000003558124'],
  ['NL', '4!a10!n', 'NL91ABNA0417164300'],
  ['NO', '4!n6!n1!n', 'NO9386011117947'],
  ['OM', '3!n16!c', 'OM810180000001299123456'],
  ['PK', '4!a16!c', 'PK36SCBL0000001123456702'],
  ['PL', '8!n16!n', 'PL61109010140000071219812874'],
  ['PS', '4!a21!c', 'PS92PALS000000000400123456702'],
  ['PT', '4!n4!n11!n2!n', 'PT50000201231234567890154'],
  ['QA', '4!a21!c', 'QA58DOHB00001234567890ABCDEFG', 'QA54QNBA000000000000693123456'],
  ['RO', '4!a16!c', 'RO49AAAA1B31007593840000', 'RO66BACX0000001234567890'],
  ['RS', '3!n13!n2!n', 'RS35260005601001611379'],
  ['RU', '9!n5!n15!c', 'RU0304452522540817810538091310419', 'RU0204452560040702810412345678901'],
  ['SA', '2!n18!c', 'SA0380000000608010167519', 'SA4420000001234567891234'],
  ['SC', '4!a2!n2!n16!n3!a', 'SC18SSCB11010000000000001497USD', 'SC74MCBL01031234567890123456USD'],
  ['SD', '2!n12!n', 'SD2129010501234001', 'SD8811123456789012'],
  ['SE', '3!n16!n1!n', 'SE4550000000058398257466'],
  ['SI', '5!n8!n2!n', 'SI56263300012039086', 'SI56191000000123438'],
  ['SK', '4!n6!n10!n', 'SK3112000000198742637541', 'SK9611000000002918599669', 'SK5681800000007000157042'],
  ['SM', '1!a5!n5!n12!c', 'SM86U0322509800000000270100'],
  ['SO', '4!n3!n12!n', 'SO211000001001000100141', 'SO061000001123123456789'],
  ['ST', '4!n4!n11!n2!n', 'ST68000100010051845310112', 'ST23000200000289355710148'],
  ['SV', '4!a20!n', 'SV62CENR00000000000000700025', 'SV43ACAT00000000000000123123'],
  ['TL', '3!n14!n2!n', 'TL380080012345678910157'],
  ['TN', '2!n3!n13!n2!n', 'TN5910006035183598478831', 'TN5914207207100707129648'],
  ['TR', '5!n1!n16!c', 'TR330006100519786457841326', 'TR320010009999901234567890'],
  ['UA', '6!n19!c', 'UA213223130000026007233566001', 'UA903052992990004149123456789'],
  ['VA', '3!n15!n', 'VA59001123000012345678'],
  ['VG', '4!a16!n', 'VG96VPVG0000012345678901', 'VG07ABVI0000000123456789'],
  ['XK', '4!n10!n2!n', 'XK051212012345678906'],
  ['YE', '4!a4!n18!c', 'YE15CBYE0001018861234567891234'],
];

const CLASS: Readonly<Record<string, string>> = { n: '[0-9]', a: '[A-Z]', c: '[A-Z0-9]' };

const REGISTERED = new Map(
  REGISTRY.map(([country, structure]) => [
    country,
    new RegExp(
      `^${country}[0-9]{2}${structure.replace(/(\d+)!([nac])/g, (_, count, kind) => `${CLASS[kind]}{${count}}`)}$`,
    ),
  ]),
);

/** A text as one number. Each letter is two digits, 10 to 35. */
const spelled = (text: string): bigint =>
  BigInt([...text].map((character) => Number.parseInt(character, 36).toString()).join(''));

const digit = (text: string, at: number): number => Number(text[at]);

const weighted = (text: string, weights: readonly number[]): number =>
  weights.reduce((sum, weight, i) => sum + weight * digit(text, i), 0);

/** National rules for the account number, which is everything after the check digits. */
const NATIONAL: Readonly<Record<string, (bban: string) => boolean>> = {
  AL: (b) => weighted(b, [9, 7, 3, 1, 9, 7, 3, 1]) % 10 === 0,
  BE: (b) => {
    const rest = BigInt(b.slice(0, 10)) % 97n;
    return BigInt(b.slice(10)) === (rest === 0n ? 97n : rest);
  },
  CZ: (b) => czech(b.slice(4, 10)) && czech(b.slice(10)),
  EE: (b) => {
    let sum = 0;
    for (let i = 14; i >= 2; i--) sum += digit(b, i) * [7, 3, 1][(14 - i) % 3]!;
    return digit(b, 15) === (10 - (sum % 10)) % 10;
  },
  ES: (b) => {
    const check = (text: string) =>
      ({ 10: '1', 11: '0' })[11 - (weighted(text, SPANISH) % 11)] ?? `${11 - (weighted(text, SPANISH) % 11)}`;
    return b.slice(8, 10) === check(`00${b.slice(0, 8)}`) + check(b.slice(10));
  },
  FI: (b) => {
    const sum = [...b].reverse().reduce((total, character, i) => {
      const product = Number(character) * (i % 2 === 0 ? 1 : 2);
      return total + Math.floor(product / 10) + (product % 10);
    }, 0);
    return sum % 10 === 0;
  },
  FR: (b) => {
    // 97 - ((89 × bank + 15 × branch + 3 × account) mod 97), with the letters of the account as digits.
    const plain = b.replace(
      /[A-Z]/g,
      (letter) => '12345678912345678923456789'['ABCDEFGHIJKLMNOPQRSTUVWXYZ'.indexOf(letter)]!,
    );
    const sum = 89n * BigInt(plain.slice(0, 5)) + 15n * BigInt(plain.slice(5, 10)) + 3n * BigInt(plain.slice(10, 21));
    return BigInt(b.slice(21)) === 97n - (sum % 97n);
  },
  HR: (b) => mod11and10(b.slice(0, 7)) && mod11and10(b.slice(7)),
  HU: (b) => {
    const check = (text: string) =>
      (10 - (weighted(text, '9731973197319731'.slice(0, text.length).split('').map(Number)) % 10)) % 10;
    if (digit(b, 7) !== check(b.slice(0, 7))) return false;
    // Two groups of eight, or three.
    return b.endsWith('00000000') ? digit(b, 15) === check(b.slice(8, 15)) : digit(b, 23) === check(b.slice(8, 23));
  },
  IT: (b) => {
    const odd = 'BAFHJNPRTVCESULDGIMOQKWZYX';
    const sum = [...b.slice(1)].reduce((total, character, i) => {
      const number = /[0-9]/.test(character) ? Number(character) : character.charCodeAt(0) - 65;
      return total + (i % 2 === 0 ? odd.charCodeAt(number) - 65 : number);
    }, 0);
    return b[0] === String.fromCharCode(65 + (sum % 26));
  },
  MR: (b) => BigInt(b.slice(-2)) === 97n - ((BigInt(b.slice(0, -2)) * 100n) % 97n),
  NO: (b) => {
    const rest = weighted(b, [5, 4, 3, 2, 7, 6, 5, 4, 3, 2]) % 11;
    return b.slice(4, 6) !== '00' && digit(b, 10) === (rest === 0 ? 0 : 11 - rest);
  },
  PL: (b) => (10 - (weighted(b, [3, 9, 7, 1, 3, 9, 7]) % 10)) % 10 === digit(b, 7),
  PT: (b) => BigInt(b.slice(-2)) === 98n - ((spelled(b.slice(0, -2)) * 100n) % 97n),
};

const SPANISH = [1, 2, 4, 8, 5, 10, 9, 7, 3, 6];

const ALIKE: Readonly<Record<string, string>> = {
  BA: 'PT',
  MC: 'FR',
  ME: 'PT',
  MK: 'PT',
  RS: 'PT',
  SI: 'PT',
  SK: 'CZ',
  SM: 'IT',
  TL: 'PT',
  TN: 'MR',
  XK: 'PT',
};

function czech(text: string): boolean {
  return [...text].reverse().reduce((sum, character, i) => sum + Number(character) * 2 ** i, 0) % 11 === 0;
}

/** ISO 7064, MOD 11,10, check digit included. */
function mod11and10(text: string): boolean {
  let rest = 10;
  for (const character of text.slice(0, -1)) {
    rest = (rest + Number(character)) % 10 || 10;
    rest = (2 * rest) % 11;
  }
  return (rest + digit(text, text.length - 1)) % 10 === 1;
}

/** Countries with a national rule. */
export const WITH_RULE: readonly string[] = [...Object.keys(NATIONAL), ...Object.keys(ALIKE)].sort();

/** Whether a text without spaces is an IBAN whose check digits can be computed from the rest. */
export function ibanHolds(text: string): boolean {
  const country = text.slice(0, 2);
  if (!(REGISTERED.get(country)?.test(text) ?? false)) return false;
  const bban = text.slice(4);
  if (BigInt(text.slice(2, 4)) !== 98n - (spelled(`${bban}${country}00`) % 97n)) return false;
  return NATIONAL[ALIKE[country] ?? country]?.(bban) ?? true;
}

/** The IBAN of an account number, whatever its national check digits. */
export function withCheckDigits(country: string, bban: string): string {
  return country + `${98n - (spelled(`${bban}${country}00`) % 97n)}`.padStart(2, '0') + bban;
}
