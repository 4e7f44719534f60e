// UnityEngine's pictures: meshes, materials, cameras, lights. Nothing is drawn.
using System;
using System.Linq;

namespace UnityEngine
{
    public class Mesh : Object
    {
        public Vector3[] vertices { get; set; } = new Vector3[0];
        public Vector3[] normals { get; set; } = new Vector3[0];
        public Vector2[] uv { get; set; } = new Vector2[0];
        public int[] triangles { get; set; } = new int[0];
        public Bounds bounds { get; set; }
        public void Clear() { }
        public void RecalculateNormals() { }
        public void RecalculateBounds() { }
    }

    public class MeshFilter : Component
    {
        public Mesh mesh { get; set; } = new Mesh();
        public Mesh sharedMesh { get; set; }
    }

    public class Texture : Object
    {
        public virtual int width { get; set; }
        public virtual int height { get; set; }
    }

    public enum TextureFormat { Alpha8 = 1, RGB24 = 3, RGBA32 = 4 }

    public class Texture2D : Texture
    {
        public Texture2D(int width, int height) { this.width = width; this.height = height; }
        public Texture2D(int width, int height, TextureFormat textureFormat, bool mipChain) : this(width, height) { }
        public void SetPixel(int x, int y, Color color) { }
        public void SetPixels(Color[] colors) { }
        public Color GetPixel(int x, int y) => Color.black;
        public Color32[] GetPixels32() => new Color32[width * height];
        public void ReadPixels(Rect source, int destX, int destY) { }
        public void Apply() { }
        public byte[] GetRawTextureData() => new byte[0];
        public static Texture2D whiteTexture => new Texture2D(4, 4);
    }

    public class RenderTexture : Texture
    {
        public RenderTexture(int width, int height, int depth) { this.width = width; this.height = height; }
        public static RenderTexture active { get; set; }
        public void Release() { }
    }

    public class Shader : Object
    {
        public static Shader Find(string name) => new Shader();
        public static int PropertyToID(string name) => name.GetHashCode();
    }

    public class Material : Object
    {
        public Material(Shader shader) { }
        public Material(Material source) { }
        public Color color { get; set; } = Color.white;
        public Texture mainTexture { get; set; }
        public Shader shader { get; set; }
        public void SetColor(string name, Color value) { }
        public void SetFloat(string name, float value) { }
        public void SetTexture(string name, Texture value) { }
    }

    public class Renderer : Component
    {
        public bool enabled { get; set; } = true;
        public Material material { get; set; } = new Material(new Shader());
        public Material sharedMaterial { get; set; } = new Material(new Shader());
        public Material[] materials { get; set; } = new Material[0];
        public Material[] sharedMaterials { get; set; } = new Material[0];
        public Bounds bounds => new Bounds(transform.position, transform.lossyScale);
        public bool isVisible => false;
    }

    public class MeshRenderer : Renderer { }
    public class SkinnedMeshRenderer : Renderer { public Mesh sharedMesh { get; set; } }
    public class SpriteRenderer : Renderer { public Color color { get; set; } = Color.white; }
    public class LineRenderer : Renderer
    {
        public int positionCount { get; set; }
        public float startWidth { get; set; }
        public float endWidth { get; set; }
        public void SetPosition(int index, Vector3 position) { }
    }
    public class TrailRenderer : Renderer { public void Clear() { } }

    public enum CameraClearFlags { Skybox = 1, SolidColor = 2, Depth = 3, Nothing = 4 }

    public class Camera : Behaviour
    {
        public static Camera main => GameObject.FindWithTag("MainCamera")?.GetComponent<Camera>();
        public static Camera[] allCameras => World.All<Camera>(false).ToArray();
        public float fieldOfView { get; set; } = 60f;
        public float orthographicSize { get; set; } = 5f;
        public float nearClipPlane { get; set; } = 0.3f;
        public float farClipPlane { get; set; } = 1000f;
        public float depth { get; set; }
        public bool orthographic { get; set; }
        public Color backgroundColor { get; set; }
        public CameraClearFlags clearFlags { get; set; }
        public int cullingMask { get; set; } = ~0;
        public Rect rect { get; set; }
        public RenderTexture targetTexture { get; set; }
        public Ray ScreenPointToRay(Vector3 pos) => new Ray(transform.position, transform.forward);
        public Vector3 WorldToScreenPoint(Vector3 position) => position;
        public Vector3 ScreenToWorldPoint(Vector3 position) => position;
        public Vector3 WorldToViewportPoint(Vector3 position) => position;
        public void Render() { }
    }

    public enum LightType { Spot, Directional, Point, Area }

    public class Light : Behaviour
    {
        public LightType type { get; set; }
        public Color color { get; set; } = Color.white;
        public float intensity { get; set; } = 1f;
        public float range { get; set; } = 10f;
    }

    public static class RenderSettings
    {
        public static Color ambientLight { get; set; }
        public static Material skybox { get; set; }
        public static bool fog { get; set; }
    }


    public class AudioListener : Behaviour { }
    public class AudioClip : Object { public float length => 0f; }
    public class AudioSource : Behaviour
    {
        public AudioClip clip { get; set; }
        public float volume { get; set; } = 1f;
        public bool isPlaying => false;
        public void Play() { }
        public void Stop() { }
        public void PlayOneShot(AudioClip clip) { }
        public void PlayOneShot(AudioClip clip, float volumeScale) { }
    }

    public class ParticleSystem : Component
    {
        public void Play() { }
        public void Stop() { }
    }

    public class Animator : Behaviour
    {
        public void SetBool(string name, bool value) { }
        public void SetFloat(string name, float value) { }
        public void SetInteger(string name, int value) { }
        public void SetTrigger(string name) { }
    }

    public class TextMesh : Component
    {
        public string text { get; set; } = "";
        public Color color { get; set; }
    }
}

namespace UnityEngine.Rendering
{
    public enum GraphicsDeviceType { Null = 4, OpenGLCore = 17, Vulkan = 21 }
}
