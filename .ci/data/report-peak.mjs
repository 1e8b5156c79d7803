// When the process ends, prints the peak of its resident memory, as the operating system reports it.
process.on('exit', () => {
  process.stderr.write(`peak memory: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`);
});
