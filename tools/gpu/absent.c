/* What OpenCV's core names and a trainer never calls: windows of OpenGL. */
void* glXGetCurrentContext(void) { return 0; }
void* glXGetCurrentDisplay(void) { return 0; }
void (*glXGetProcAddressARB(const unsigned char* name))(void) {
  (void)name;
  return 0;
}
