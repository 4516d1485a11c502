/**
 * Okabe and Ito's colours ("Color universal design", 2008), darkened for white and lightened for dark until each has a
 * contrast of 3:1 or more; told apart with every common kind of colour blindness. Lines beyond the list repeat it dashed.
 */
export const LINES_ON_LIGHT = ["#0072b2", "#c2410c", "#00795b", "#a8437f", "#8a6100", "#2b6cb8", "#4d4d4d"] as const;
export const LINES_ON_DARK = ["#56b4e9", "#f08a3c", "#2fc79f", "#e59ac6", "#f0e442", "#8fc3ff", "#cfcfcf"] as const;
