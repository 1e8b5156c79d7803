/** What a gateway counts, for Prometheus: requests by verb and outcome, and values by verb. No party is named. */

/** The counters of a gateway. */
export interface Metrics {
  readonly count: (verb: string, outcome: string, values: number) => void;
  /** In the text format of Prometheus 0.0.4. */
  readonly text: () => string;
}

/** Makes the counters. Verbs and codes are the gateway's own words, so there is a bounded number of them. */
export function makeMetrics(): Metrics {
  const requests = new Map<string, number>();
  const values = new Map<string, number>();
  const add = (to: Map<string, number>, name: string, count: number) => to.set(name, (to.get(name) ?? 0) + count);
  const lines = (name: string, counts: Map<string, number>): string[] =>
    [...counts].map(([labels, count]) => `${name}{${labels}} ${count}\n`);
  return {
    count(verb, outcome, count) {
      add(requests, `verb="${verb}",code="${outcome}"`, 1);
      if (count > 0) add(values, `verb="${verb}"`, count);
    },
    text: () =>
      [
        '# HELP trefoil_gateway_requests_total Requests by verb and outcome.\n',
        '# TYPE trefoil_gateway_requests_total counter\n',
        ...lines('trefoil_gateway_requests_total', requests),
        '# HELP trefoil_gateway_values_total Values that were answered, by verb.\n',
        '# TYPE trefoil_gateway_values_total counter\n',
        ...lines('trefoil_gateway_values_total', values),
      ].join(''),
  };
}
