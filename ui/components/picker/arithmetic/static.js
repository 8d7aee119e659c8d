// Maps that Python computed and the browser only shows.

export const fixed = {
  prepare: (panel) => panel,
  choose: () => [],
  map(panel, name, _chosen, _i, out) {
    out.set(panel.arrays[name]);
    return panel.options.maps.find((one) => one.name === name);
  },
};
