/** Commands that add steps, each of its kind. */
export const AddCommandIDs = {
  menu: 'mlwf:add-step-menu',
  addWorkflow: 'mlwf:add-workflow',
  addRelease: 'mlwf:add-release',
  addPerson: 'mlwf:add-person',
  addLabel: 'mlwf:add-label',
  openWorkflow: 'mlwf:open-workflow'
} as const;
