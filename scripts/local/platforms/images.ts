import { createRandom } from './random.ts'

/** A picture for any path under `/media/`: the same path is the same picture.. */
export function drawImage(path: string): Response {
  const random = createRandom(path)
  const hue = random.int(0, 359)
  const shapes = Array.from({ length: 5 }, () => {
    const [x, y, radius] = [random.int(0, 400), random.int(0, 300), random.int(30, 130)]
    return `<circle cx="${x}" cy="${y}" r="${radius}" fill="hsl(${hue + random.int(-40, 40)} 60% ${random.int(35, 80)}% / 0.7)"/>`
  })
  const [width, height] = path.includes('avatar') ? [300, 300] : [400, 300]
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<rect width="100%" height="100%" fill="hsl(${hue} 45% 28%)"/>${shapes.join('')}</svg>`
  return new Response(svg, {
    headers: {
      'content-type': 'image/svg+xml',
      'cache-control': 'public, max-age=604800, immutable',
      'access-control-allow-origin': '*',
    },
  })
}
