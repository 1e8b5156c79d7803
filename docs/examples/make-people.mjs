// Writes people.csv beside this file: 1,000 invented European customers, the same bytes each time (`npm run people`).
//
// Nobody in it exists. Mailboxes lie under the names that RFC 2606 reserves, card numbers have the prefixes of the card
// schemes' test numbers, and the bank codes in the IBANs are invented. Phone numbers come from the ranges that Germany,
// France, Ireland and Sweden keep for fiction, elsewhere from leading digits that, as far as we know, have no
// subscribers. Like real data, these have several scripts, decomposed accents, characters outside the BMP, three ways
// to write a card number, empty cells, line breaks in notes, and households that share a mailbox.

import { writeFileSync } from 'node:fs';

const SEED = 0x7ef011;
const COUNT = 1000;
const FIRST_ID = 10001;
const COLUMNS = ['id', 'name', 'email', 'phone', 'card', 'iban', 'born', 'city', 'notes'];

// --- Chance --------------------------------------------------------------------------------------------------------

/** mulberry32: 32 bits of state are plenty for a thousand rows, and the result needs no secrecy. */
const mulberry32 = (state) => () => {
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), state | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return (t ^ (t >>> 14)) >>> 0;
};

const next = mulberry32(SEED);
/** An integer below `n`. */
const below = (n) => Math.floor((next() / 0x1_0000_0000) * n);
const pick = (list) => list[below(list.length)];
const chance = (percent) => below(1000) < percent * 10;

const DIGITS = '0123456789';
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `#` becomes a digit, `A` a digit or letter, all else stays. */
const fill = (template) =>
  template.replace(/[#A]/g, (place) => (place === '#' ? pick(DIGITS) : pick(DIGITS + LETTERS)));

const shuffled = (list) => {
  for (let i = list.length - 1; i > 0; i--) {
    const j = below(i + 1);
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
};

// --- Places and names ----------------------------------------------------------------------------------------------

const words = (text) => text.split(', ');

// `family` holds the form for men and, after a slash, the one for women where the language makes a difference.
// `phone` leaves out the `+`; `iban` is what follows the check digits. In both `#` is any digit, `A` a digit or letter.
const COUNTRIES = {
  NO: {
    women: words('Ingrid, Åse, Sølvi, Marte, Guro, Ragnhild, Tuva, Bjørg'),
    men: words('Håkon, Øyvind, Sindre, Torbjørn, Eirik, Pål, Jørgen, Åsmund'),
    family: words('Nordås, Sæther, Bjørkli, Haugsøy, Lønning, Røed, Tveitå, Åsheim'),
    cities: words('Tromsø, Bodø, Ålesund, Hønefoss, Førde'),
    phone: ['47 19 ## ## ##', '47 19# ## ###'],
    iban: '99#########',
  },
  SE: {
    women: words('Märta, Åsa, Linnéa, Görel, Ebba, Solveig, Tyra, Anna-Lena'),
    men: words('Björn, Göran, Måns, Åke, Sören, Lennart, Ture, Jan-Erik'),
    family: words('Sjöberg, Åkerlund, Lindström, Hägg, Öberg, Nordgren, Källström, Ekdahl'),
    cities: words('Malmö, Umeå, Växjö, Örebro, Luleå'),
    phone: ['46 31 390 06 ##', '46 40 628 04 ##', '46 8 465 004 ##', '46 980 31 92 ##'],
    iban: '99##################',
  },
  DE: {
    women: words('Zoë, Käthe, Jördis, Anneliese, Mareike, Bärbel, Frauke, Heike'),
    men: words('Jürgen, Sönke, Götz, Matthias, Jörg, Detlef, Rüdiger, Karl-Heinz'),
    family: words('Müller, Weiß, Schröder, Böhm, Großmann, Kühn, Jäger, von der Heide, Meyer-Lüders'),
    cities: words('Köln, Freiburg, Görlitz, Lübeck, Würzburg, Gießen'),
    phone: ['49 30 23125 ###', '49 40 66969 ###', '49 221 4710 ###', '49 69 90009 ###', '49 89 99998 ###'],
    iban: '99################',
  },
  FR: {
    women: words('Hélène, Maëlys, Anaïs, Françoise, Océane, Zélie, Marie-Noëlle, Solène'),
    men: words('Loïc, Jérôme, Noël, François, Gaël, Rémi, Jean-Benoît, Théo'),
    family: words('Lefèvre, Chérèque, Garçon, d’Aubigny, Le Goïc, Bézier, Thévenot, Maître'),
    cities: words('Nîmes, Besançon, Orléans, Angoulême, Saint-Étienne'),
    phone: ['33 6 39 98 ## ##', '33 1 99 00 ## ##', '33 4 65 71 ## ##'],
    iban: '99########AAAAAAAAAAA##',
  },
  ES: {
    women: words('Begoña, Inés, Lucía, Rocío, Íngrid, Nuria, María José, Águeda'),
    men: words('Íñigo, Andrés, Joaquín, Álvaro, Gonzalo, Ramón, José Luis, Óscar'),
    family: words('Ibáñez Peña, Muñoz Ferrer, Núñez Cortés, Ordóñez Vidal, Güell Sala, Zúñiga Rey, Castaño León'),
    cities: words('Cádiz, Logroño, Málaga, Ávila, A Coruña'),
    phone: ['34 119 ## ## ##', '34 119 ### ###'],
    iban: '99##################',
  },
  IT: {
    women: words('Nicoletta, Maria Noè, Chiara, Ludovica, Fiammetta, Noemi, Zaira'),
    men: words('Nicolò, Giosuè, Tommaso, Ettore, Fulvio, Niccolò, Zeno'),
    family: words('Cantù, D’Angelis, Nicolodi, Forlì, Dell’Orto, Pezzè, Bernabò, Salò'),
    cities: words('Forlì, Cefalù, Mantova, L’Aquila, Cantù'),
    phone: ['39 19# #### ###', '39 19# ### ####'],
    iban: 'X99########AAAAAAAAAAAA',
  },
  PL: {
    women: words('Małgorzata, Bożena, Świętosława, Grażyna, Agnieszka, Żaneta, Zofia'),
    men: words('Łukasz, Sławomir, Michał, Bolesław, Wojciech, Józef, Błażej'),
    family: words(
      'Wiśniewski/Wiśniewska, Dąbek, Źródłowski/Źródłowska, Gąska, Łęcki/Łęcka, Kośny/Kośna, Żółtek, Nowak-Jeż',
    ),
    cities: words('Łódź, Kraków, Gdańsk, Rzeszów, Białystok'),
    phone: ['48 10# ### ###', '48 10 ### ## ##'],
    iban: '99######################',
  },
  GR: {
    women: words('Ελένη, Αθηνά, Κατερίνα, Φωτεινή, Μυρτώ, Ιωάννα, Δήμητρα'),
    men: words('Νίκος, Αλέξανδρος, Θανάσης, Σπύρος, Ηλίας, Ιάσονας, Στέλιος'),
    family: words(
      'Παπαδάκης/Παπαδάκη, Καραγιάννης/Καραγιάννη, Βλάχος/Βλάχου, Μαυρίδης/Μαυρίδου, Ξένος/Ξένου, Ψαράς/Ψαρά',
    ),
    cities: words('Αθήνα, Θεσσαλονίκη, Πάτρα, Ηράκλειο, Χανιά'),
    phone: ['30 199 ### ####', '30 1999 ### ###'],
    iban: '99#####AAAAAAAAAAAAAAAA',
  },
  BG: {
    women: words('Радка, Снежана, Цветелина, Йоана, Милена, Жасмина'),
    men: words('Димитър, Йордан, Пламен, Красимир, Явор, Стоян'),
    family: words(
      'Тодоров/Тодорова, Желязков/Желязкова, Цанев/Цанева, Йорданов/Йорданова, Щерев/Щерева, Бъчваров/Бъчварова',
    ),
    cities: words('София, Пловдив, Варна, Велико Търново, Ямбол'),
    phone: ['359 19 ### ###', '359 19# ## ###'],
    iban: 'XTRF######AAAAAAAA',
  },
  IE: {
    women: words('Siobhán, Aoife, Róisín, Gráinne, Niamh, Órla, Sinéad'),
    men: words('Seán, Pádraig, Ciarán, Oisín, Tadhg, Éamonn, Ruairí'),
    family: words('O’Brien, Ó Súilleabháin, Mac Giolla, Nic Dhonnchadha, O’Dowd, Ní Fhloinn, Byrne'),
    cities: words('Dún Laoghaire, Galway, Cork, Ennis, Trá Lí'),
    phone: ['353 20 91# ####', '353 20 91 #####'],
    iban: 'XTRF##############',
  },
  NL: {
    women: words('Renée, Sanne, Noëlle, Fenna, Zoë, Geertje, Willemijn'),
    men: words('Joost, Daniël, Sjoerd, Maarten, Noud, Teun, Jan-Willem'),
    family: words('de Vries, van ’t Hof, IJzerman, Roëll, van den Brink, Hoekstra-de Boer, Coöper'),
    cities: words('’s-Hertogenbosch, Delft, Zwolle, Groningen, Súdwest-Fryslân'),
    phone: ['31 99 ### ####', '31 99# ### ###'],
    iban: 'XTRF##########',
  },
  FI: {
    women: words('Päivi, Aino, Kyllikki, Sárá, Riitta, Hilkka, Anna-Maija'),
    men: words('Väinö, Jyrki, Pekka, Yrjö, Heikki, Seppo, Mikko'),
    family: words('Mäkelä, Hämäläinen, Yli-Kärppä, Väisänen, Kääriäinen, Aikio, Rönkkö'),
    cities: words('Jyväskylä, Oulu, Hämeenlinna, Rovaniemi, Anár'),
    phone: ['358 12 ### ####', '358 12# #####'],
    iban: '99############',
  },
  CZ: {
    women: words('Božena, Zdeňka, Růžena, Markéta, Kateřina, Žofie'),
    men: words('Jiří, Ondřej, Luděk, Tomáš, Zdeněk, Řehoř'),
    family: words('Dvořák/Dvořáková, Kučera/Kučerová, Říha/Říhová, Žďárský/Žďárská, Šťastný/Šťastná, Němec/Němcová'),
    cities: words('Plzeň, Třebíč, Ústí nad Labem, České Budějovice, Zlín'),
    phone: ['420 199 ### ###', '420 19 ### ## ##'],
    iban: '99##################',
  },
  UA: {
    women: words('Оксана, Ярина, Соломія, Людмила, Наталія, Євгенія'),
    men: words('Андрій, Сергій, Богдан, Тарас, Юрій, Єгор'),
    family: words('Шевчук, Мар’яненко, Ґудзь, Коваль, Білецький/Білецька, Їжакевич, Щербань'),
    cities: words('Київ, Львів, Харків, Чернівці, Кам’янець-Подільський'),
    phone: ['380 19 ### ## ##', '380 19# ### ###'],
    iban: '99####AAAAAAAAAAAAAAAAAAA',
  },
  HU: {
    women: words('Erzsébet, Ágnes, Zsófia, Tünde, Piroska, Csenge'),
    men: words('László, Győző, Ödön, Zsolt, Ferenc, Ármin'),
    family: words('Szűcs, Kőműves, Fehér, Bíró-Tóth, Gyarmati, Őri'),
    cities: words('Győr, Szeged, Hódmezővásárhely, Fertőd, Pécs'),
    phone: ['36 10 ### ###', '36 10 ## ####'],
    iban: '99######################',
    familyFirst: true,
  },
};

// Customers whose names are written in a script that is not official in their country; each is in the file once.
const RESIDENTS = [
  ['𠮷田 さくら', 'sakura.yoshida', 'DE'], // U+20BB7, outside the BMP
  ['吴𬭎', 'wu.hong', 'FR'], // U+2CB4E, outside the BMP
  ['林𫖯', 'lin.fu', 'NL'], // U+2B5AF, outside the BMP
  ['ليلى حدّاد', 'leila.haddad', 'SE'],
  ['يوسف العلي', 'yousef.alali', 'DE'],
  ['امیر\u200cحسین کریمی', 'amirhossein.karimi', 'NO'], // a zero-width non-joiner, as Persian spells it
  ['ნინო ბერიშვილი', 'nino.berishvili', 'PL'],
  ['გიორგი ლომიძე', 'giorgi.lomidze', 'GR'],
  ['Անի Սարգսյան', 'ani.sargsyan', 'FR'],
  ['Տիգրան Հակոբյան', 'tigran.hakobyan', 'CZ'],
  ['נועה בן־דוד', 'noa.bendavid', 'NL'],
  ['अनन्या शर्मा', 'ananya.sharma', 'IE'],
  ['தமிழ்ச்செல்வி', 'tamilselvi', 'NO'], // one name and no family name
  ['김서연', 'seoyeon.kim', 'ES'],
  ['Nguyễn Thị Ánh', 'anh.nguyen', 'CZ'], // two marks on one letter
  ['Şükrü Iğdırlı', 'sukru.igdirli', 'DE'], // a dotless ı
];

// --- Mailboxes -----------------------------------------------------------------------------------------------------

const SPELLED = { ß: 'ss', ø: 'o', æ: 'ae', ł: 'l', đ: 'd', ı: 'i' };
const TRANSLITERATED = [
  ['αβγδεζηθικλμνξοπρσςτυφχψω', words('a, v, g, d, e, z, i, th, i, k, l, m, n, x, o, p, r, s, s, t, y, f, ch, ps, o')],
  [
    'абвгґдеєжзиіклмнопрстуфхцчшщъьюя',
    words('a, b, v, h, g, d, e, ye, zh, z, y, i, k, l, m, n, o, p, r, s, t, u, f, kh, ts, ch, sh, shch, a, , yu, ya'),
  ],
];
for (const [letters, latin] of TRANSLITERATED) {
  for (const [i, letter] of [...letters].entries()) SPELLED[letter] = latin[i];
}

const ascii = (name) =>
  [...name.toLowerCase().normalize('NFD')]
    .map((character) => SPELLED[character] ?? character)
    .join('')
    .replace(/[^a-z0-9-]/g, '');

const mailHost = (country) => {
  const top = pick(['com', 'com', 'org', 'net']);
  const local = country.toLowerCase();
  return pick([`example.${top}`, `example.${top}`, `mail.example.${top}`, `${local}.example.${top}`]);
};

const mailboxes = new Set();

/** A mailbox that nobody has yet, whatever its case. */
const newMailbox = (local, country) => {
  const host = mailHost(country);
  let address = `${local}@${host}`;
  for (let n = 2; mailboxes.has(address); n++) address = `${local}${n}@${host}`;
  mailboxes.add(address);
  return address;
};

const titled = (address) => address.replace(/(^|[.@-])[a-z]/g, (start) => start.toUpperCase());

/** The mailbox as its owner types it: one in six with capitals. */
const typed = (address) => (chance(16) ? pick([titled(address), address.toUpperCase()]) : address);

/** The same mailbox as someone else of the household types it: never the same string. */
const retyped = (address) => {
  const other = address === address.toLowerCase() ? titled(address) : address.toLowerCase();
  return pick([other, ` ${address}`, `${address} `, `  ${other} `]);
};

// --- Numbers -------------------------------------------------------------------------------------------------------

/** The Luhn digit (ISO/IEC 7812-1, Annex B) that completes `payload`. */
const luhnDigit = (payload) => {
  let sum = 0;
  for (let i = 0; i < payload.length; i++) {
    const digit = Number(payload[payload.length - 1 - i]);
    sum += i % 2 === 1 ? digit : digit < 5 ? 2 * digit : 2 * digit - 9;
  }
  return String((10 - (sum % 10)) % 10);
};

/** Spaces, dashes or nothing, after the groups that are printed on such a card. */
const cardLayout = (digits) => {
  const groups = digits.match(digits.length === 15 ? /^\d{4}|\d{6}(?=\d{5}$)|\d{5}$/g : /\d{1,4}/g);
  return groups.join(pick([' ', ' ', '-', '']));
};

const card = () => {
  const kind = below(100);
  const sixteen = `${pick(['411111', '411111', '555555', '601100'])}#########`;
  const payload = fill(kind < 12 ? '378282########' : kind < 19 ? '601100############' : sixteen);
  return cardLayout(payload + luhnDigit(payload));
};

/** ISO 13616: check digits are 98 minus the number mod 97, letters count 10…35. National check digits are random. */
const iban = (country) => {
  const account = fill(COUNTRIES[country].iban);
  const number = `${account}${country}00`.replace(/[A-Z]/g, (letter) => String(letter.charCodeAt(0) - 55));
  const check = String(98n - (BigInt(number) % 97n)).padStart(2, '0');
  const whole = `${country}${check}${account}`;
  return chance(60) ? whole.match(/.{1,4}/g).join(' ') : whole;
};

const phone = (country) => {
  const spaced = `+${fill(pick(COUNTRIES[country].phone))}`;
  return pick([spaced, spaced, spaced.replaceAll(' ', '-'), spaced.replaceAll(' ', '')]);
};

const born = () => {
  const first = Date.UTC(1925, 0, 1);
  const days = (Date.UTC(2008, 0, 1) - first) / 86_400_000;
  return new Date(first + below(days) * 86_400_000).toISOString().slice(0, 10);
};

// --- Notes ---------------------------------------------------------------------------------------------------------

const anyone = () => pick(COUNTRIES[pick(Object.keys(COUNTRIES))][pick(['women', 'men'])]);
const weekday = () => pick(words('Mondays, Tuesdays, Wednesdays, Thursdays, Fridays'));
const month = () => pick(words('January, March, April, June, September, November'));

// The kind of thing that call centres write down: health, family, money, other people. It is why `notes` is dropped.
const NOTES = [
  () => `Call after 17:00, never on ${weekday()}.`,
  () => `Hard of hearing, please speak slowly. Daughter ${anyone()} may answer.`,
  () => `Said "do not write to my husband", so by phone only.`,
  () => `Moved in ${month()}; old neighbour ${anyone()} still takes in the parcels.`,
  () => `Complained about the ${month()} invoice.\nApologised, sent a voucher.`,
  () => `In hospital until ${month()}, no reminders before that.`,
  () => `Out of work since ${month()}, pays in three parts.`,
  () => `Dog in the yard ("${anyone()}"), courier must ring first.`,
  () => `Wants everything in large print.`,
  () => `Vegetarian, lactose-free, asks each time.`,
  () => `Twin of ${anyone()}, same birthday: do not merge the two accounts!`,
  () => `Recently widowed.\nAccount was in the name of ${anyone()}, now changed.`,
  () => `Spricht lieber Deutsch; Rückruf „nach der Schicht“, meist gegen 15 Uhr.`,
  () => `Préfère le français, ne pas appeler pendant la sieste des jumeaux.`,
  () => `Να μιλάμε ελληνικά, παρακαλώ.`,
  () => `Sends a postcard every ${month()} 🍀, the team likes it.`,
];

const notes = () => (chance(50) ? '' : pick(NOTES)());

// --- People --------------------------------------------------------------------------------------------------------

/** A person of `country`, sharing family name, city and mailbox with `house`, the row of somebody they live with. */
const person = (country, house) => {
  const { women, men, family, cities, familyFirst } = COUNTRIES[country];
  const woman = chance(50);
  const given = pick((woman ? women : men).filter((name) => name !== house?.given));
  const surname = house?.surname ?? pick(family);
  const [man, feminine = man] = surname.split('/');
  const own = woman ? feminine : man;
  const name = familyFirst ? `${own} ${given}` : `${given} ${own}`;
  const [g, f] = [ascii(given), ascii(own)];
  const local = pick([`${g}.${f}`, `${g[0]}.${f}`, `${f}-${g}`]);
  return {
    country,
    given,
    surname,
    // Some systems store accents as combining characters: the same name on the screen, other bytes.
    name: chance(2) ? name.normalize('NFD') : name,
    email: house ? retyped(house.email) : typed(newMailbox(local, country)),
    city: house?.city ?? pick(cities),
    ...numbers(country),
  };
};

const resident = ([name, local, country]) => ({
  country,
  name,
  email: typed(newMailbox(local, country)),
  city: pick(COUNTRIES[country].cities),
  ...numbers(country),
});

const numbers = (country) => ({
  phone: chance(2) ? '' : phone(country),
  card: chance(2) ? '' : card(),
  iban: iban(country),
  born: born(),
  notes: notes(),
});

const people = () => {
  const ids = shuffled(Array.from({ length: COUNT }, (_, i) => FIRST_ID + i));
  const at = ids.indexOf(10017);
  [ids[0], ids[at]] = [ids[at], ids[0]];

  // The row that the README and the demo show.
  const zoe = {
    ...resident(['Zoë Müller', 'zoe.mueller', 'DE']),
    surname: 'Müller',
    email: 'Zoe.Mueller@example.com',
    phone: '+49 30 23125 017',
    card: '4111 1111 1111 1111',
    born: '1984-03-12',
    city: 'Freiburg',
    notes: 'Call after 17:00, never on Fridays.',
  };
  mailboxes.add(zoe.email.toLowerCase());

  const rows = [zoe];
  const single = []; // people who may still get a housemate
  const step = Math.floor(COUNT / RESIDENTS.length);
  while (rows.length < COUNT) {
    const n = rows.length;
    if (n % step === step >> 1) {
      rows.push(resident(RESIDENTS[(n - (step >> 1)) / step]));
    } else if (n > 50 && n % 29 === 0) {
      const [house] = single.splice(below(single.length), 1);
      rows.push(person(house.country, house));
    } else {
      const someone = person(pick(Object.keys(COUNTRIES)));
      rows.push(someone);
      single.push(someone);
    }
  }
  return rows.map((row, i) => ({ ...row, id: String(ids[i]) }));
};

// --- The file ------------------------------------------------------------------------------------------------------

/** RFC 4180, quoted only where it has to be. */
const cell = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const line = (cells) => `${cells.map(cell).join(',')}\n`;

const rows = people().map((row) => line(COLUMNS.map((column) => row[column])));
const csv = line(COLUMNS) + rows.join('');
writeFileSync(new URL('people.csv', import.meta.url), csv);
console.log(`docs/examples/people.csv: ${COUNT} rows, ${Buffer.byteLength(csv)} bytes`);
