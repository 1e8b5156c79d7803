// Writes rows of invented people with seven fields: id,name,email,phone,card,born,city.
import { once } from 'node:events';

const count = Number(process.argv[2]);
const given = ['Ada', 'Zoë', 'Łukasz', 'Ελένη', 'Оксана', 'Bjørn', 'Inés', 'Giulia'];
const family = ['Müller', 'Nowak', 'Παππά', 'Коваль', 'Hansen', 'García', 'Rossi', 'O’Brien'];
const cities = ['Oslo', 'Bergen', 'Kraków', 'Αθήνα', 'Львів', 'Málaga', 'Torino', 'Cork'];

/** A number below `size` that looks unordered: multiplication by an odd constant modulo 2^32. */
const scatter = (i, salt, size) => (Math.imul(i + salt, 2654435761) >>> 0) % size;

function luhn(body) {
  let sum = 0;
  for (let i = 0; i < body.length; i++) {
    const digit = Number(body[body.length - 1 - i]) * (i % 2 === 0 ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return (10 - (sum % 10)) % 10;
}

process.stdout.write('id,name,email,phone,card,born,city\n');
let lines = '';
for (let i = 0; i < count; i++) {
  const body = `411111${String(scatter(i, 3, 1e9)).padStart(9, '0')}`;
  const day = String(1 + scatter(i, 7, 28)).padStart(2, '0');
  const month = String(1 + scatter(i, 8, 12)).padStart(2, '0');
  lines += `${100000 + i},${given[scatter(i, 1, 8)]} ${family[scatter(i, 2, 8)]},person.${i}@example.com,+47 ${
    20000000 + scatter(i, 4, 7e7)
  },${body}${luhn(body)},${1930 + scatter(i, 6, 75)}-${month}-${day},${cities[scatter(i, 5, 8)]}\n`;
  if (lines.length > 65536) {
    if (!process.stdout.write(lines)) await once(process.stdout, 'drain');
    lines = '';
  }
}
process.stdout.write(lines);
