/**
 * What is dialled before a national number, by the country codes of Recommendation ITU-T E.164.
 *
 * Sources: "Dialling procedures (international prefix, national (trunk) prefix and national (significant) number)",
 * annex to the ITU Operational Bulletin (https://www.itu.int/pub/T-SP-E.164C), and the numbering plans that countries
 * notify under E.129 (https://www.itu.int/oth/T0202.aspx). The tables are those of `phone` in docs/spec/prepare-v1.md,
 * which is frozen: no code is added to or removed from the first three.
 */

/** Codes of countries with the trunk prefix 0, in which no national number begins with 0. */
const TRUNK_ZERO =
  '20 211 212 213 218 231 232 233 234 243 249 251 252 254 255 256 260 261 262 263 264 265 27 291 31 32 33 353 355 358 ' +
  '359 370 373 374 377 380 381 382 383 385 386 387 389 40 41 421 423 43 44 46 49 508 51 53 54 58 590 593 594 595 596 ' +
  '598 60 61 62 63 64 66 686 81 82 84 850 855 856 86 880 886 90 91 92 93 94 95 961 962 963 964 966 967 970 971 972 977 ' +
  '98 994 995 996';

/** Codes with a prefix that is removed only if it is alone in brackets, because a national number may begin with it. */
const TRUNK_IN_BRACKETS = { '0': '55 57 591 976', '8': '7 375 993' };

/** Codes of countries in which a national number may begin with 0, and the 0 is dialled from abroad, too. */
const OWN_ZERO = '39 225 226 227 229 242 378 992';

/** The trunk prefix of a country code. */
export interface Trunk {
  /** What is dialled before a national number. */
  readonly prefix: string;
  /** Whether it is recognised only if it is alone in brackets. */
  readonly inBrackets: boolean;
}

/** The trunk prefixes by country code. */
export const TRUNKS: ReadonlyMap<string, Trunk> = /* @__PURE__ */ makeTrunks();

function makeTrunks(): ReadonlyMap<string, Trunk> {
  const trunks = new Map<string, Trunk>([['36', { prefix: '06', inBrackets: false }]]);
  for (const code of TRUNK_ZERO.split(' ')) trunks.set(code, { prefix: '0', inBrackets: false });
  for (const [prefix, codes] of Object.entries(TRUNK_IN_BRACKETS)) {
    for (const code of codes.split(' ')) trunks.set(code, { prefix, inBrackets: true });
  }
  return trunks;
}

/** The country codes whose national numbers may begin with 0. */
export const OWN_ZEROS: ReadonlySet<string> = /* @__PURE__ */ (() => new Set(OWN_ZERO.split(' ')))();

/** The countries of each code, by ISO 3166-1 alpha-2, and XK for Kosovo. */
const COUNTRIES = [
  '1:AG,AI,AS,BB,BM,BS,CA,DM,DO,GD,GU,JM,KN,KY,LC,MP,MS,PR,SX,TC,TT,US,VC,VG,VI 7:KZ,RU 20:EG 211:SS 212:EH,MA 213:DZ',
  '216:TN 218:LY 220:GM 221:SN 222:MR 223:ML 224:GN 225:CI 226:BF 227:NE 228:TG 229:BJ 230:MU 231:LR 232:SL 233:GH',
  '234:NG 235:TD 236:CF 237:CM 238:CV 239:ST 240:GQ 242:CG 243:CD 244:AO 245:GW 246:IO 248:SC 249:SD 251:ET 252:SO',
  '253:DJ 254:KE 255:TZ 256:UG 257:BI 258:MZ 260:ZM 261:MG 262:RE,YT 263:ZW 264:NA 265:MW 266:LS 267:BW 268:SZ 269:KM',
  '27:ZA 290:SH 291:ER 297:AW 298:FO 299:GL 30:GR 31:NL 32:BE 33:FR 34:ES 350:GI 351:PT 352:LU 353:IE 354:IS 355:AL',
  '356:MT 357:CY 358:AX,FI 359:BG 36:HU 370:LT 371:LV 372:EE 373:MD 374:AM 375:BY 376:AD 377:MC 378:SM 380:UA 381:RS',
  '382:ME 383:XK 385:HR 386:SI 387:BA 389:MK 39:IT,VA 40:RO 41:CH 420:CZ 421:SK 423:LI 43:AT 44:GB,GG,IM,JE 45:DK 46:SE',
  '47:NO,SJ 48:PL 49:DE 500:FK 501:BZ 502:GT 503:SV 504:HN 505:NI 506:CR 507:PA 508:PM 509:HT 51:PE 52:MX 53:CU 55:BR',
  '56:CL 57:CO 58:VE 590:BL,GP,MF 591:BO 592:GY 593:EC 594:GF 595:PY 596:MQ 597:SR 598:UY 599:BQ,CW 60:MY 61:AU,CC,CX',
  '62:ID 63:PH 64:NZ 65:SG 66:TH 670:TL 672:NF 673:BN 674:NR 675:PG 676:TO 677:SB 678:VU 679:FJ 680:PW 681:WF 682:CK',
  '683:NU 685:WS 686:KI 687:NC 688:TV 689:PF 690:TK 691:FM 692:MH 81:JP 82:KR 84:VN 850:KP 852:HK 853:MO 855:KH 856:LA',
  '86:CN 880:BD 886:TW 90:TR 91:IN 92:PK 93:AF 94:LK 95:MM 960:MV 961:LB 962:JO 963:SY 964:IQ 965:KW 966:SA 967:YE',
  '968:OM 970:PS 971:AE 972:IL 973:BH 974:QA 975:BT 976:MN 977:NP 98:IR 992:TJ 993:TM 994:AZ 995:GE 996:KG 998:UZ',
];

/**
 * Countries whose national form this table cannot read, each with the reason: a national number is not the
 * international one without its code, or nobody can tell the two apart.
 */
const UNREADABLE: Readonly<Record<string, string>> = {
  AR: 'mobile numbers of Argentina have another form inside the country',
  GA: 'the numbers of Gabon were changed in 2019, and old and new ones cannot be told apart',
  RW: 'some numbers of Rwanda begin with 0 and others have it as a prefix',
};

/** What is dialled before an international number, where it is not 00. `null`: it names a carrier, or differs. */
const INTERNATIONAL: Readonly<Record<string, string | null>> = /* @__PURE__ */ (() => ({
  ...{ '1': '011', '7': '810', '53': '119', '61': '0011', '81': '010', '234': '009', '254': '000', '375': '810' },
  ...{ '592': '001', '692': '011', '976': '001', '992': '810', '993': '810' },
  ...{ '55': null, '56': null, '57': null, '62': null, '65': null, '66': null, '82': null, '238': null, '248': null },
  ...{ '255': null, '256': null, '591': null, '680': null, '685': null, '852': null, '855': null, '886': null },
}))();

/**
 * The fewest and the most digits of a national number without its prefix, where only they tell a prefix or a carrier
 * from a number. Elsewhere the limits of E.164 hold.
 */
const LENGTHS: Readonly<Record<string, readonly [number, number]>> = /* @__PURE__ */ (() => ({
  ...{ '1': [10, 10], '7': [10, 10], '55': [10, 11], '57': [10, 10], '375': [9, 9], '591': [8, 8], '993': [8, 8] },
}))();

/** How the numbers of a country are written inside it. */
export interface NationalPlan {
  readonly code: string;
  /** The trunk prefix; empty if there is none. */
  readonly prefix: string;
  /** What is dialled before an international number; `null` if it cannot be told from a national one. */
  readonly international: string | null;
  readonly minimum: number;
  readonly maximum: number;
}

/** Prefixes inside a country that differ from what is written after its country code. */
const NATIONAL_PREFIX: Readonly<Record<string, string>> = { '1': '1', '375': '80' };

/** The plan of a country; a text that says why there is none. */
export function nationalPlan(country: string): NationalPlan | string {
  if (Object.hasOwn(UNREADABLE, country)) return UNREADABLE[country]!;
  for (const entry of COUNTRIES.join(' ').split(' ')) {
    const [code, names] = entry.split(':') as [string, string];
    if (!names.split(',').includes(country)) continue;
    const [minimum, maximum] = LENGTHS[code] ?? [Math.max(2, 7 - code.length), 15 - code.length];
    const international = Object.hasOwn(INTERNATIONAL, code) ? INTERNATIONAL[code]! : '00';
    return { code, prefix: NATIONAL_PREFIX[code] ?? TRUNKS.get(code)?.prefix ?? '', international, minimum, maximum };
  }
  return 'there is no such country; write its code of ISO 3166-1 in capitals, such as DE';
}
