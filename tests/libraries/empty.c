/* Nothing of SSPI. */
int nothing_of_sspi(void) { return 0; }
