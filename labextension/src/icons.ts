import { LabIcon } from '@jupyterlab/ui-components';

export const workflowIcon = new LabIcon({
  name: 'jupyter-mlwf:workflow',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <rect x="2" y="3" width="8" height="7" rx="1.5"/>
    <rect x="2" y="14" width="8" height="7" rx="1.5"/>
    <rect x="15" y="8.500" width="7" height="7" rx="1.5"/>
    <path d="M10 5.700h1.500a1.800 1.800 0 0 1 1.800 1.800v2.700a.9.9 0 0 0 .9.900H15v1.800h-.8a.9.9 0 0 0-.9.900v2.700a1.800 1.800 0 0 1-1.800 1.800H10v-1.800h1.500v-2.700c0-1 .5-1.900 1.300-2.500-.8-.6-1.300-1.500-1.300-2.500V7.500H10z"/>
  </g>
</svg>`
});
