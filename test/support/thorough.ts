// Loaded by mocha, in each of its processes, before the tests; see repetitions.ts.
process.env['THOROUGH'] = 'yes';
