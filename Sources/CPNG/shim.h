#pragma once
#include <png.h>
#include <string.h>

/// Decodes a PNG to 8-bit RGB, or gray when `channels` is 1, through the simplified API, whose struct Swift cannot make.
/// First with `pixels` null for the extents, then with room for width * height * channels bytes. Returns 0, or -1 with a
/// message.
static inline int nn_png_decode(const void *bytes, size_t count, int channels, unsigned *width, unsigned *height,
                                unsigned char *_Nullable pixels, char message[64]) {
  png_image image;
  memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  int done = png_image_begin_read_from_memory(&image, bytes, count);
  if (done) {
    *width = image.width;
    *height = image.height;
    image.format = channels == 1 ? PNG_FORMAT_GRAY : channels == 4 ? PNG_FORMAT_RGBA : PNG_FORMAT_RGB;
    png_color background = {0, 0, 0};
    if (pixels) done = png_image_finish_read(&image, &background, pixels, 0, NULL);
  }
  strncpy(message, image.message, 63);
  message[63] = 0;
  png_image_free(&image);
  return done ? 0 : -1;
}
