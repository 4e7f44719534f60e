// UnityEngine's small geometry and colour types.
using System;

namespace UnityEngine
{
    public struct Color : IEquatable<Color>
    {
        public float r;
        public float g;
        public float b;
        public float a;

        public Color(float r, float g, float b, float a) { this.r = r; this.g = g; this.b = b; this.a = a; }
        public Color(float r, float g, float b) { this.r = r; this.g = g; this.b = b; a = 1f; }

        public static Color red => new Color(1f, 0f, 0f);
        public static Color green => new Color(0f, 1f, 0f);
        public static Color blue => new Color(0f, 0f, 1f);
        public static Color white => new Color(1f, 1f, 1f);
        public static Color black => new Color(0f, 0f, 0f);
        public static Color yellow => new Color(1f, 47f / 51f, 0.0156862754f);
        public static Color cyan => new Color(0f, 1f, 1f);
        public static Color magenta => new Color(1f, 0f, 1f);
        public static Color gray => new Color(0.5f, 0.5f, 0.5f);
        public static Color grey => gray;
        public static Color clear => new Color(0f, 0f, 0f, 0f);

        public static Color Lerp(Color a, Color b, float t) => a + (b - a) * Mathf.Clamp01(t);
        public static Color HSVToRGB(float h, float s, float v)
        {
            var sixth = Mathf.Repeat(h, 1f) * 6f;
            var least = v * (1f - s);
            float rise = least + (v - least) * (sixth - Mathf.Floor(sixth)), fall = v - (v - least) * (sixth - Mathf.Floor(sixth));
            switch (Mathf.FloorToInt(sixth))
            {
                case 0: return new Color(v, rise, least);
                case 1: return new Color(fall, v, least);
                case 2: return new Color(least, v, rise);
                case 3: return new Color(least, fall, v);
                case 4: return new Color(rise, least, v);
                default: return new Color(v, least, fall);
            }
        }

        public static Color operator +(Color a, Color b) => new Color(a.r + b.r, a.g + b.g, a.b + b.b, a.a + b.a);
        public static Color operator -(Color a, Color b) => new Color(a.r - b.r, a.g - b.g, a.b - b.b, a.a - b.a);
        public static Color operator *(Color a, Color b) => new Color(a.r * b.r, a.g * b.g, a.b * b.b, a.a * b.a);
        public static Color operator *(Color a, float d) => new Color(a.r * d, a.g * d, a.b * d, a.a * d);
        public static Color operator *(float d, Color a) => a * d;
        public static Color operator /(Color a, float d) => a * (1f / d);
        public static bool operator ==(Color lhs, Color rhs) => (Vector4)lhs == (Vector4)rhs;
        public static bool operator !=(Color lhs, Color rhs) => !(lhs == rhs);
        public static implicit operator Vector4(Color c) => new Vector4(c.r, c.g, c.b, c.a);
        public static implicit operator Color(Vector4 v) => new Color(v.x, v.y, v.z, v.w);
        public bool Equals(Color other) => r == other.r && g == other.g && b == other.b && a == other.a;
        public override bool Equals(object other) => other is Color color && Equals(color);
        public override int GetHashCode() => ((Vector4)this).GetHashCode();
        public override string ToString() => "RGBA(" + r.ToString("F3") + ", " + g.ToString("F3") + ", " + b.ToString("F3") + ", " + a.ToString("F3") + ")";
    }

    public struct Color32
    {
        public byte r;
        public byte g;
        public byte b;
        public byte a;

        public Color32(byte r, byte g, byte b, byte a) { this.r = r; this.g = g; this.b = b; this.a = a; }
        public static implicit operator Color(Color32 c) => new Color(c.r / 255f, c.g / 255f, c.b / 255f, c.a / 255f);
        public static implicit operator Color32(Color c) => new Color32(Byte(c.r), Byte(c.g), Byte(c.b), Byte(c.a));
        static byte Byte(float part) => (byte)Mathf.Round(Mathf.Clamp01(part) * 255f);
    }

    public struct Bounds : IEquatable<Bounds>
    {
        public Bounds(Vector3 center, Vector3 size) { this.center = center; extents = size * 0.5f; }

        public Vector3 center { get; set; }
        public Vector3 extents { get; set; }
        public Vector3 size { get { return extents * 2f; } set { extents = value * 0.5f; } }
        public Vector3 min { get { return center - extents; } set { SetMinMax(value, max); } }
        public Vector3 max { get { return center + extents; } set { SetMinMax(min, value); } }

        public void SetMinMax(Vector3 min, Vector3 max) { extents = (max - min) * 0.5f; center = min + extents; }
        public void Encapsulate(Vector3 point) { SetMinMax(Vector3.Min(min, point), Vector3.Max(max, point)); }
        public void Encapsulate(Bounds bounds) { Encapsulate(bounds.min); Encapsulate(bounds.max); }
        public void Expand(float amount) { extents += Vector3.one * (amount * 0.5f); }
        public Vector3 ClosestPoint(Vector3 point) => Vector3.Min(Vector3.Max(point, min), max);
        public bool Contains(Vector3 point) => ClosestPoint(point).Equals(point);
        public float SqrDistance(Vector3 point) => (ClosestPoint(point) - point).sqrMagnitude;
        public bool Intersects(Bounds bounds) => min.x <= bounds.max.x && max.x >= bounds.min.x
            && min.y <= bounds.max.y && max.y >= bounds.min.y && min.z <= bounds.max.z && max.z >= bounds.min.z;
        public static bool operator ==(Bounds lhs, Bounds rhs) => lhs.center == rhs.center && lhs.extents == rhs.extents;
        public static bool operator !=(Bounds lhs, Bounds rhs) => !(lhs == rhs);
        public bool Equals(Bounds other) => center.Equals(other.center) && extents.Equals(other.extents);
        public override bool Equals(object other) => other is Bounds bounds && Equals(bounds);
        public override int GetHashCode() => center.GetHashCode() ^ (extents.GetHashCode() << 2);
    }

    public struct Rect
    {
        public Rect(float x, float y, float width, float height) { this.x = x; this.y = y; this.width = width; this.height = height; }

        public static Rect MinMaxRect(float xmin, float ymin, float xmax, float ymax) => new Rect(xmin, ymin, xmax - xmin, ymax - ymin);
        public float x { get; set; }
        public float y { get; set; }
        public float width { get; set; }
        public float height { get; set; }
        public float xMin { get { return x; } set { width += x - value; x = value; } }
        public float yMin { get { return y; } set { height += y - value; y = value; } }
        public float xMax { get { return x + width; } set { width = value - x; } }
        public float yMax { get { return y + height; } set { height = value - y; } }
        public Vector2 center => new Vector2(x + width / 2f, y + height / 2f);
        public Vector2 position { get { return new Vector2(x, y); } set { x = value.x; y = value.y; } }
        public Vector2 size { get { return new Vector2(width, height); } set { width = value.x; height = value.y; } }
        public bool Contains(Vector2 point) => point.x >= xMin && point.x < xMax && point.y >= yMin && point.y < yMax;
    }

    public struct Ray
    {
        public Ray(Vector3 origin, Vector3 direction) { this.origin = origin; m_Direction = direction.normalized; }

        Vector3 m_Direction;
        public Vector3 origin { get; set; }
        public Vector3 direction { get { return m_Direction; } set { m_Direction = value.normalized; } }
        public Vector3 GetPoint(float distance) => origin + direction * distance;
    }

    public struct Plane
    {
        public Plane(Vector3 inNormal, Vector3 inPoint) { normal = inNormal.normalized; distance = -Vector3.Dot(normal, inPoint); }

        public Vector3 normal { get; set; }
        public float distance { get; set; }
        public float GetDistanceToPoint(Vector3 point) => Vector3.Dot(normal, point) + distance;
        public bool Raycast(Ray ray, out float enter)
        {
            var along = Vector3.Dot(ray.direction, normal);
            enter = Mathf.Approximately(along, 0f) ? 0f : -GetDistanceToPoint(ray.origin) / along;
            return enter > 0f;
        }
    }

    public struct LayerMask
    {
        int m_Mask;

        public int value { get { return m_Mask; } set { m_Mask = value; } }
        public static int NameToLayer(string layerName) => TagsAndLayers.Layer(layerName);
        public static string LayerToName(int layer) => TagsAndLayers.Layers[layer];
        public static int GetMask(params string[] layerNames)
        {
            var mask = 0;
            foreach (var name in layerNames) if (NameToLayer(name) >= 0) mask |= 1 << NameToLayer(name);
            return mask;
        }
        public static implicit operator int(LayerMask mask) => mask.m_Mask;
        public static implicit operator LayerMask(int intVal) => new LayerMask { m_Mask = intVal };
    }

    public struct Keyframe
    {
        public Keyframe(float time, float value) { this.time = time; this.value = value; }
        public float time { get; set; }
        public float value { get; set; }
    }

    /// Straight lines between the keys.
    public class AnimationCurve
    {
        public AnimationCurve(params Keyframe[] keys) { this.keys = keys; }
        public AnimationCurve() : this(new Keyframe[0]) { }

        public Keyframe[] keys { get; set; }
        public int length => keys.Length;
        public static AnimationCurve Linear(float timeStart, float valueStart, float timeEnd, float valueEnd) =>
            new AnimationCurve(new Keyframe(timeStart, valueStart), new Keyframe(timeEnd, valueEnd));
        public static AnimationCurve EaseInOut(float timeStart, float valueStart, float timeEnd, float valueEnd) =>
            Linear(timeStart, valueStart, timeEnd, valueEnd);
        public static AnimationCurve Constant(float timeStart, float timeEnd, float value) => Linear(timeStart, value, timeEnd, value);

        public float Evaluate(float time)
        {
            if (keys.Length == 0) return 0f;
            for (var i = 1; i < keys.Length; i++)
            {
                if (time <= keys[i].time)
                {
                    return Mathf.Lerp(keys[i - 1].value, keys[i].value, Mathf.InverseLerp(keys[i - 1].time, keys[i].time, time));
                }
            }
            return keys[keys.Length - 1].value;
        }
    }

    public class Gradient
    {
        public Color Evaluate(float time) => Color.Lerp(Color.black, Color.white, time);
    }
}
